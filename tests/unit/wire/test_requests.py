"""Requests and answers: complete, and the same after a journey."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from sandbox_tui.api import requests
from sandbox_tui.api.requests import ANSWERS, AnyAction, Call, Request, Subscription, read_request
from sandbox_tui.documents.line import Announce, AnswersInput, Known, Merge, Reply
from sandbox_tui.model import actions
from sandbox_tui.model.actions import Action
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.outputs import Display
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
    requests.Say("seat", Merge("epoch", b"\0")),
    requests.Say("seat", Announce("é", "cell-1", 3)),
    requests.Say("seat", Reply("abc", "é")),
    requests.Say("seat", AnswersInput(True)),
    requests.Leave("seat", True),
    requests.ShowRoom(REF),
    requests.ShowKernel("/é.json"),
    requests.Present("IPython"),
    requests.Tell("page", "run-1", "In [1]", Display({"text/html": "é"})),
    requests.PageUrl("page"),
    requests.HasPage("page"),
    requests.ClosePage("page"),
    requests.Join(REF, "seat", Known("epoch", b"\0")),
    requests.Begin(actions.RunCell(ref=REF, cell_id="cell-1")),
    requests.Begin(actions.Run(ref=REF, code="1", cap=5, keep="head")),
    requests.Recall("seat", "abc"),
)


def test_every_action_can_travel() -> None:
    """Every one that the daemon's rooms can do something with; see `RemoteApi.perform`."""
    assert set(get_args(AnyAction)) <= set(Action.__subclasses__())
    about_cells = {
        action for action in Action.__subclasses__() if "cell_id" in action.__annotations__
    }
    assert about_cells <= set(get_args(AnyAction))
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
