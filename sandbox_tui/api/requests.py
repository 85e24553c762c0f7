"""What a `RemoteApi` asks and what it is answered: the `Api`'s methods as values.

A `Call` has one answer, a `Subscription` any number. A run of code is a call that answers with its
`Handle`, and a subscription to how it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from sandbox_tui.documents.line import Known, Word
from sandbox_tui.model import actions
from sandbox_tui.model.cells import NotebookCell
from sandbox_tui.model.codec import from_msgpack
from sandbox_tui.model.outputs import Keep, Output, Result
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import Completion

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
    | actions.OpenRoom
    | actions.AddCell
    | actions.EditCell
    | actions.AppendSource
    | actions.MoveCell
    | actions.ClearOutputs
    | actions.SetMetadata
    | actions.SaveAs
    | actions.Complete
    | actions.PoolStatus
    | actions.FlushPool
    | actions.RemoveCell
    | actions.RunCell
    | actions.RunAll
)


EVERYTHING = 1 << 62
"""A cap for an image: what it is the image of is bounded already."""


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


class Say(Call, frozen=True):
    """`Line.say`, on the seat that the client calls `seat`: answered with `None`."""

    seat: str
    word: Word


class Leave(Call, frozen=True):
    """`Line.leave`: answered with `None`."""

    seat: str
    stop_kernel_if_last: bool


class ShowRoom(Call, frozen=True):
    """Open the page of a room: answered with the page's id."""

    ref: Ref


class ShowKernel(Call, frozen=True):
    """Open the page of the kernel of a connection file: answered with the page's id."""

    path: str


class Tell(Call, frozen=True):
    """One more output of a run, on a page that this client presents: answered with `None`."""

    page_id: str
    block_id: str
    title: str
    output: Output


class PageUrl(Call, frozen=True):
    """An address that opens a page once: answered with it."""

    page_id: str


class HasPage(Call, frozen=True):
    """Whether a page is there: answered with that."""

    page_id: str


class ClosePage(Call, frozen=True):
    """A page is needed here no more: answered with `None`."""

    page_id: str


class Present(Subscription, frozen=True):
    """A page of what this client tells, until it stops asking: the page's id, and no more."""

    name: str


class Join(Subscription, frozen=True):
    """`Line.news`: each a `RoomNews`. The client calls its seat `seat` from now on."""

    ref: Ref
    seat: str
    known: Known


class Begin(Subscription, frozen=True):
    """Run code and watch it, in one conversation: each a `Progress`, the first with its id."""

    action: actions.Run | actions.RunCell


class Recall(Subscription, frozen=True):
    """`Line.recall`: like `Begin`."""

    seat: str
    execution_id: str


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
    Perform
    | Cancel
    | Settle
    | Measure
    | Inspect
    | Say
    | Leave
    | ShowRoom
    | ShowKernel
    | Tell
    | PageUrl
    | HasPage
    | ClosePage
    | Present
    | Join
    | Begin
    | Recall
    | Worlds
    | Follow
    | Screens
    | Notebooks
    | Watch
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
    cap: int = EVERYTHING
    """How much of its output is kept there, in characters."""
    keep: Keep = "tail"


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is new about a run."""

    execution_id: str = ""
    """Only where the client does not know it."""
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
    actions.OpenRoom: Ref,
    actions.Attach: actions.Attachment,
    actions.Shell: actions.Attachment,
    actions.Run: Handle,
    actions.RunCell: Handle,
    actions.AddCell: str,
    actions.EditCell: str,
    actions.SetMetadata: str,
    actions.ClearOutputs: str,
    actions.AppendSource: str,
    actions.MoveCell: str,
    actions.RemoveCell: str,
    actions.SaveAs: str,
    actions.Complete: Completion,
    actions.RunAll: list[Handle],
    actions.PoolStatus: tuple[PoolState, ...],
}
"""What each action answers on the wire; `None` where nothing is said here."""
