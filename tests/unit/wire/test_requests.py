"""Requests and answers: complete, and the same after a journey."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from sandbox_tui.api import requests
from sandbox_tui.api.requests import ANSWERS, AnyAction, Call, Request, Subscription, read_request
from sandbox_tui.model import actions
from sandbox_tui.model.actions import Action
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.refs import Ref

REF = Ref("room:lab@x")
ASKED = (
    requests.Perform(actions.Start(name="a", env={"A": "é"}, command=("x", "y"))),
    requests.Perform(actions.Start(name="a", command="x")),
    requests.Perform(actions.Stop(ref=REF, timeout=0.5)),
    requests.Perform(actions.AddCell(ref=REF, source="é\n", index=2)),
    requests.Cancel("abc"),
    requests.Settle(1.5),
    requests.Measure((REF, Ref("tmux:a b"))),
    requests.Inspect(REF),
    requests.Worlds(),
    requests.Follow(REF, 10, True, None),
    requests.Screens((REF,)),
    requests.Notebooks(REF),
    requests.Watch("abc"),
)


def test_every_action_can_travel() -> None:
    assert set(get_args(AnyAction)) == set(Action.__subclasses__())
    assert set(ANSWERS) <= set(Action.__subclasses__())


def test_every_request_can_travel() -> None:
    known = {*Call.__subclasses__(), *Subscription.__subclasses__()}
    assert set(get_args(Request)) == known
    assert {type(request) for request in ASKED} == known


@pytest.mark.parametrize("request_", ASKED, ids=lambda request: type(request).__name__)
def test_a_request_comes_out_as_it_went_in(request_: Call | Subscription) -> None:
    read = read_request(to_msgpack(request_))

    assert read == request_
    assert type(read) is type(request_)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        to_msgpack({"type": "Dance"}),
        to_msgpack({"type": "Perform", "action": {"type": "Stop"}}),
        to_msgpack({"type": "Perform", "action": {"type": "Stop", "ref": "tmux:a", "hard": 1}}),
        to_msgpack({"type": "Settle", "timeout": "soon"}),
    ],
)
def test_a_wrong_shape_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_request(body)
