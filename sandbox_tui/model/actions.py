"""What a person, a script or a request asks for, as values.

One Struct per action. With its entry in `hub.registry` it is the command line, the JSON body, the
palette row and the key binding. Every field that is not said keeps its default.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import Command


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Base of all actions; the tag is the class name."""


class Start(Action, frozen=True, kw_only=True):
    """Make a sandbox, from its entry in the configuration with these values laid over it.

    `kind` turns an entry of one kind into another; `image` alone makes a container.
    """

    name: str
    kind: Kind | None = None
    command: Command | None = None
    image: str | None = None
    volumes: tuple[str, ...] | None = None
    ports: tuple[str, ...] | None = None
    env: Mapping[str, str] | None = None
    working_dir: str | None = None
    log_volume: str | None = None
    socket: str | None = None
    runtime: str | None = None
    kernel: str | None = None
    replace: bool = False
    """End what has that name first."""


class Stop(Action, frozen=True, kw_only=True):
    """End a sandbox: gracefully, and for certain after `timeout` seconds."""

    ref: Ref
    force: bool = False
    timeout: float = 10.0


class Restart(Action, frozen=True, kw_only=True):
    """End what runs in a sandbox and run it again; a room keeps its cells."""

    ref: Ref
    timeout: float = 10.0


class Pause(Action, frozen=True, kw_only=True):
    """Freeze every process of a sandbox."""

    ref: Ref


class Resume(Action, frozen=True, kw_only=True):
    """Let a paused sandbox go on."""

    ref: Ref


class Remove(Action, frozen=True, kw_only=True):
    """Take a sandbox and what it kept away; `force` ends it first."""

    ref: Ref
    force: bool = False


class Attach(Action, frozen=True, kw_only=True):
    """Hand the terminal to a sandbox's main process. Answers with an `Attachment`."""

    ref: Ref


class Shell(Action, frozen=True, kw_only=True):
    """Hand the terminal to a new shell inside. Answers with an `Attachment`."""

    ref: Ref


class Run(Action, frozen=True, kw_only=True):
    """Run code and keep hold of it. Answers with an `Execution`."""

    ref: Ref
    code: str
    timeout: float | None = None


class Send(Action, frozen=True, kw_only=True):
    """Type text, or press one key (`C-c`, `Enter`), in a terminal."""

    ref: Ref
    text: str = ""
    enter: bool = True
    key: str | None = None


class Interrupt(Action, frozen=True, kw_only=True):
    """End what runs now, keep the sandbox."""

    ref: Ref


class AddCell(Action, frozen=True, kw_only=True):
    """Add a cell to a room, at the end or at `index`. Answers with its id."""

    ref: Ref
    source: str = ""
    kind: CellKind = CellKind.CODE
    index: int | None = None


class EditCell(Action, frozen=True, kw_only=True):
    """Give a cell another source."""

    ref: Ref
    cell_id: str
    source: str


class RemoveCell(Action, frozen=True, kw_only=True):
    """Take a cell out of its room."""

    ref: Ref
    cell_id: str


class RunCell(Action, frozen=True, kw_only=True):
    """Queue a cell of a room with the source it has now. Answers with an `Execution`."""

    ref: Ref
    cell_id: str
    timeout: float | None = None


class RunAll(Action, frozen=True, kw_only=True):
    """Queue cells in order; an error drops the rest. Answers with one `Execution` each.

    Without `cell_ids` it is every code cell.
    """

    ref: Ref
    cell_ids: tuple[str, ...] | None = None
    timeout: float | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """How to hand a terminal over: the program to run and how a person comes back."""

    ref: Ref
    argv: tuple[str, ...]
    env: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    leave: str = ""
    """What to press, in words: `prefix then d`."""
    leave_keys: str = ""
    """The same as it is typed, where the program then ends with an exit code of its own."""
    inside_tmux: tuple[str, ...] = ()
    """What to run instead when this program itself runs inside that very tmux server."""
