"""What a `RemoteApi` asks and what it is answered: the `Api`'s methods as values.

A `Call` has one answer, a `Subscription` any number. A run of code is a call that answers with its
`Handle`, and a subscription to how it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from sandbox_tui.model import actions
from sandbox_tui.model.cells import NotebookCell
from sandbox_tui.model.codec import from_msgpack
from sandbox_tui.model.outputs import Output, Result
from sandbox_tui.model.refs import Ref

AnyAction = (
    actions.Start
    | actions.Stop
    | actions.Restart
    | actions.Pause
    | actions.Resume
    | actions.Remove
    | actions.Attach
    | actions.Shell
    | actions.Run
    | actions.Send
    | actions.Interrupt
    | actions.AddCell
    | actions.EditCell
    | actions.RemoveCell
    | actions.RunCell
    | actions.RunAll
)


class Call(msgspec.Struct, frozen=True, tag=True):
    """A request with one answer."""


class Subscription(msgspec.Struct, frozen=True, tag=True):
    """A request with answers for as long as somebody asks for the next one."""


class Perform(Call, frozen=True):
    """`Api.perform`: answered with `Performed`."""

    action: AnyAction


class Cancel(Call, frozen=True):
    """End a run that this client began: answered with `None`."""

    execution_id: str


class Settle(Call, frozen=True):
    """`Api.settled`: answered with the `World`."""

    timeout: float


class Measure(Call, frozen=True):
    """`Api.vitals`: answered with them by ref."""

    refs: tuple[Ref, ...]


class Inspect(Call, frozen=True):
    """`Api.inspect`: answered with plain values."""

    ref: Ref


class Worlds(Subscription, frozen=True):
    """`Api.worlds`: each a `World`."""

    since: int = -1


class Follow(Subscription, frozen=True):
    """`Api.follow`: each a list of `Output`s."""

    ref: Ref
    tail: int
    live: bool
    since: float | None


class Screens(Subscription, frozen=True):
    """`Api.screens`: each all of them by ref."""

    refs: tuple[Ref, ...]


class Notebooks(Subscription, frozen=True):
    """`Api.notebooks`: each a `NotebookPatch`."""

    ref: Ref


class Watch(Subscription, frozen=True):
    """How a run that this client began goes: each a `Progress`, the last one with its result."""

    execution_id: str


Request = (
    Perform | Cancel | Settle | Measure | Inspect | Worlds | Follow | Screens | Notebooks | Watch
)


def read_request(body: bytes) -> Call | Subscription:
    """A request out of its bytes. Raises `msgspec.ValidationError`, or `InvalidNameError`."""
    return from_msgpack(body, cast("type[Call | Subscription]", Request))


class Performed(msgspec.Struct, frozen=True):
    """What an action answered, and the world in which it is done."""

    value: msgspec.Raw
    revision: int


class Handle(msgspec.Struct, frozen=True):
    """A run of code that the server keeps hold of."""

    execution_id: str
    ref: Ref
    code: str


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is new about a run."""

    code: str
    started_at: float | None = None
    execution_count: int | None = None
    outputs: tuple[Output, ...] = ()
    truncated: bool = False
    result: Result | None = None
    """Without its outputs: they were told already."""


class NotebookPatch(msgspec.Struct, frozen=True):
    """What makes the reader's notebook the newest one."""

    revision: int
    order: tuple[str, ...]
    changed: tuple[NotebookCell, ...]


ANSWERS: Mapping[type[actions.Action], type[object]] = {
    actions.Start: Ref,
    actions.Attach: actions.Attachment,
    actions.Shell: actions.Attachment,
    actions.Run: Handle,
    actions.RunCell: Handle,
    actions.AddCell: str,
    actions.EditCell: str,
    actions.RemoveCell: str,
    actions.RunAll: list[Handle],
}
"""What each action answers on the wire; `None` where nothing is said here."""
