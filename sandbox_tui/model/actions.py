"""What a person, a script or a request asks for, as values.

One Struct per action. With its entry in `hub.registry` it is the command line, the JSON body, the
palette row and the key binding. Every field that is not said keeps its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import Command, ContainerSpec


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
    env_source: str | None = None
    isolation: str | None = None
    notebook: str | None = None
    """An `.ipynb` file that a new room is made from."""
    profile: str | None = None
    labels: Mapping[str, str] | None = None
    user: str | None = None
    network: str | None = None
    read_only: bool | None = None
    memory: int | None = None
    """In bytes."""
    cpus: float | None = None
    pids: int | None = None
    security: Literal["normal", "strict"] | None = None
    ttl: float | None = None
    idle_timeout: float | None = None
    """In seconds."""
    persist: bool | None = None
    pull: bool = False
    """Fetch the image when it is missing."""
    replace: bool = False
    """End what has that name first."""


class Create(Action, frozen=True, kw_only=True):
    """Make a container as `spec` says, whatever the configuration has. Answers with its `Ref`."""

    spec: ContainerSpec
    pull: bool = True
    """Whether an image that is missing is fetched."""


class RunOnce(Action, frozen=True, kw_only=True):
    """Make a container, run its command, take it away again. Answers with an `Execution`.

    Cancelling the execution, or its `timeout` in seconds, ends and removes the container.
    """

    spec: ContainerSpec
    timeout: float | None = None


class Stop(Action, frozen=True, kw_only=True):
    """End a sandbox: gracefully, and for certain after `timeout` seconds."""

    ref: Ref
    force: bool = False
    timeout: float = 10.0
    if_idle: bool = False
    """Only while nothing runs or waits in it, which rooms can tell; else `ConflictError`."""


class Restart(Action, frozen=True, kw_only=True):
    """End what runs in a sandbox and run it again; a room keeps its cells."""

    ref: Ref
    timeout: float = 10.0
    fresh: bool = False
    """Replace a container by a new one made from the same spec."""


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
    """Run code and keep hold of it. Answers with an `Execution`.

    `env`, `working_dir`, `user` and `held` are for containers only.
    """

    ref: Ref
    code: Command
    timeout: float | None = None
    cap: int = OUTPUT_CAP
    """How much of the output is kept, in characters."""
    keep: Keep = "tail"
    env: Mapping[str, str] | None = None
    working_dir: str | None = None
    user: str | None = None
    held: bool = False
    """Whether it may end as soon as nobody hears it any more; it is heard more quickly then."""


class Send(Action, frozen=True, kw_only=True):
    """Type text, or press one key (`C-c`, `Enter`), in a terminal."""

    ref: Ref
    text: str = ""
    enter: bool = True
    key: str | None = None


class ReadFile(Action, frozen=True, kw_only=True):
    """The content of a file inside. Answers with `bytes`."""

    ref: Ref
    path: str


class WriteFile(Action, frozen=True, kw_only=True):
    """Make or replace a file inside; it belongs to the sandbox's own user."""

    ref: Ref
    path: str
    content: bytes


class ListFiles(Action, frozen=True, kw_only=True):
    """What a folder inside holds. Answers with a tuple of `FileEntry`, sorted by name."""

    ref: Ref
    path: str = ""
    """Empty is the home of the sandbox's user."""


class Push(Action, frozen=True, kw_only=True):
    """Copy a file or folder of this machine into a sandbox. Answers with a `Transfer`."""

    ref: Ref
    source: str
    target: str


class Pull(Action, frozen=True, kw_only=True):
    """Copy a file or folder out of a sandbox. Answers with a `Transfer`."""

    ref: Ref
    source: str
    target: str


class Snapshot(Action, frozen=True, kw_only=True):
    """Keep the files of a container as an image. Answers with the image's id."""

    ref: Ref
    image: str


class PullImage(Action, frozen=True, kw_only=True):
    """Fetch an image from its registry. Answers with a `Transfer`."""

    image: str
    runtime: str = ""


class BuildImage(Action, frozen=True, kw_only=True):
    """Build an image from a folder with a Dockerfile. Answers with a `Transfer`."""

    image: str
    folder: str = "."
    dockerfile: str = "Dockerfile"
    runtime: str = ""


class ExportImages(Action, frozen=True, kw_only=True):
    """Write images into a tar file. Answers with a `Transfer`."""

    images: tuple[str, ...]
    target: str
    runtime: str = ""


class ImportImages(Action, frozen=True, kw_only=True):
    """Take in the images of such a file. Answers with a `Transfer`."""

    source: str
    runtime: str = ""


class Interrupt(Action, frozen=True, kw_only=True):
    """End what runs now, keep the sandbox."""

    ref: Ref


class OpenRoom(Action, frozen=True, kw_only=True):
    """Have a room of that name: a new one has no kernel. Answers with its `Ref`."""

    ref: Ref
    working_dir: str | None = None
    """Where the kernel of a new one is to run."""
    notebook: str | None = None
    """The `.ipynb` file that it holds; a new one, or one without cells, takes in what that has."""


class AddCell(Action, frozen=True, kw_only=True):
    """Add a cell to a room, at the end or at `index`. Answers with its id."""

    ref: Ref
    source: str = ""
    kind: CellKind = CellKind.CODE
    index: int | None = None
    cell_id: str = ""
    """Its id, when that is to be a known one; no other cell may have it."""


class EditCell(Action, frozen=True, kw_only=True):
    """Give a cell another source."""

    ref: Ref
    cell_id: str
    source: str
    base: str | None = None
    """What `source` was made of: what others have changed since then is kept."""


class AppendSource(Action, frozen=True, kw_only=True):
    """Put text at the end of a cell's source."""

    ref: Ref
    cell_id: str
    text: str


class MoveCell(Action, frozen=True, kw_only=True):
    """Put a cell at another place, counted from 0."""

    ref: Ref
    cell_id: str
    index: int


class ClearOutputs(Action, frozen=True, kw_only=True):
    """Forget what a cell's last run said, or every cell's without `cell_id`."""

    ref: Ref
    cell_id: str | None = None


class SetMetadata(Action, frozen=True, kw_only=True):
    """Give a key of the notebook's metadata a value (anything JSON has); `None` takes it out."""

    ref: Ref
    key: str
    value: object = None


class SaveAs(Action, frozen=True, kw_only=True):
    """Write the room as a notebook file; an empty `path` is the file it was opened from.

    Answers with the file's path.
    """

    ref: Ref
    path: str = ""


class Complete(Action, frozen=True, kw_only=True):
    """What may stand at `cursor` (characters from 0) in `code`. Answers with a `Completion`."""

    ref: Ref
    code: str
    cursor: int


class PoolStatus(Action, frozen=True, kw_only=True):
    """How many kernels stand ready. Answers with a `PoolState` for each environment."""


class FlushPool(Action, frozen=True, kw_only=True):
    """End the kernels that only stand ready; new ones are made in the background."""


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


CellChange = AddCell | EditCell | AppendSource | MoveCell | RemoveCell | ClearOutputs | SetMetadata
"""What changes the document of a room, or what it shows."""


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
