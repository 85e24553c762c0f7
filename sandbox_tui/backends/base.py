"""What a backend must do, and what it may.

The duty is small: say what is there, make one, end one. Everything else is a capability of one or
two methods; `isinstance(backend, Follows)` asks for it. Every method may raise `SandboxError`s and
nothing else: foreign exceptions are translated at the one door of each backend.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from sandbox_tui.model.actions import Attachment, CellChange
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import UnsupportedError
from sandbox_tui.model.files import FileEntry
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Output, Screen, Vitals
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.specs import Command, Inside, RoomSpec, Spec
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.session import Session
from sandbox_tui.runtime.transfer import Transfer


@runtime_checkable
class Backend(Protocol):
    """The whole duty. One object serves one `place`; several of a kind may live side by side."""

    place: Place

    async def probe(self) -> Health:
        """Ask whether it answers; never raises for a backend that does not."""
        ...

    async def poll(self) -> Sequence[Sandbox]:
        """One cheap listing of everything here. Raises `BackendUnavailableError`.

        An empty place (no tmux server yet) is an empty listing, not an error.
        """
        ...

    async def start(self, spec: Spec) -> Ref:
        """Make a sandbox; on failure nothing of it is left. Raises `AlreadyExistsError`."""
        ...

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End it: ask, wait `grace` seconds, then make sure. Raises `NotFoundError`."""
        ...

    async def remove(self, ref: Ref) -> None:
        """Take away what is left of an ended one. Raises `NotFoundError`, `ConflictError`."""
        ...

    async def aclose(self) -> None:
        """Let go of everything held here; what runs goes on running."""
        ...


@runtime_checkable
class Wakes(Protocol):
    """Hears from its engine when something changed. Events wake, polls tell."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake`, on the loop, whenever a poll would tell something new.

        Called once, before the first poll, on the running loop.
        """
        ...


@runtime_checkable
class Holds(Protocol):
    """Knows by the events it hears that its last listing still holds, so that none is asked for."""

    @property
    def holds(self) -> bool:
        """Whether they are heard, and that listing is no older than is safe without them."""
        ...


@runtime_checkable
class Glances(Protocol):
    """Can tell of one sandbox without listing the others."""

    async def glance(self, ref: Ref) -> Sandbox | None:
        """How it is now, as a poll would tell; `None` when it is not there."""
        ...


@runtime_checkable
class Rests(Protocol):
    """Knows for certain whether anything runs or waits in it."""

    async def stop_idle(self, ref: Ref, *, grace: float = 10.0) -> None:
        """`stop`, decided in one step with that. Raises `ConflictError` when it is in use."""
        ...


@runtime_checkable
class Runs(Protocol):
    """Runs code and knows how it ended."""

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        inside: Inside | None = None,
    ) -> Execution:
        """Begin to run; `timeout` (seconds) really ends the code inside.

        Of its output `cap` characters are kept. Rooms take text only, and nothing `inside`.
        """
        ...


def only_text(ref: Ref, code: Command, inside: Inside | None) -> str:
    """The code, for what has neither programs nor users. Raises `UnsupportedError`."""
    if not isinstance(code, str):
        raise UnsupportedError(ref, "run a command line", hint="Give it its code as one text.")
    if inside not in (None, Inside()):
        raise UnsupportedError(ref, "run code as another user, or elsewhere")
    return code


@runtime_checkable
class Types(Protocol):
    """Has a terminal that can be typed into."""

    async def type(self, ref: Ref, text: str, *, enter: bool = True) -> None:
        """Type literal text, then Enter."""
        ...

    async def press(self, ref: Ref, key: str) -> None:
        """Press one key, by tmux's name for it: `C-c`, `Up`, `Enter`."""
        ...


@runtime_checkable
class Follows(Protocol):
    """Has a log."""

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """The last `tail` lines in true order, then (`live`) everything new until it ends.

        `since` (epoch seconds) leaves out what is older, where the engine stamps its lines.
        """
        ...


@runtime_checkable
class Screens(Protocol):
    """Has a screen that can be looked at without disturbing it."""

    async def capture(self, refs: Sequence[Ref]) -> dict[Ref, Screen]:
        """What those show now. Cheap when nothing changed: the same `Screen` object comes back.

        Refs that are gone are left out.
        """
        ...


@runtime_checkable
class Attaches(Protocol):
    """Can take over a terminal."""

    async def attachment(self, ref: Ref) -> Attachment:
        """What to run, and how a person comes back. Raises `NotRunningError`."""
        ...


@runtime_checkable
class Shells(Protocol):
    """Can open a new shell inside."""

    async def shell(self, ref: Ref) -> Attachment:
        """What to run for a shell of the image's own choice. Raises `NotRunningError`."""
        ...


@runtime_checkable
class Measures(Protocol):
    """Knows processor, memory and traffic."""

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """One measurement of each; refs that cannot be measured are left out."""
        ...


@runtime_checkable
class Interrupts(Protocol):
    """Can end what runs and keep the sandbox."""

    async def interrupt(self, ref: Ref) -> None:
        """End the running code, as Ctrl-C would."""
        ...


@runtime_checkable
class Restarts(Protocol):
    """Can begin again in place."""

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End what runs and run it again."""
        ...


@runtime_checkable
class Revives(Protocol):
    """Can run an ended one again as it was."""

    async def revive(self, ref: Ref) -> None:
        """Raises `AlreadyExistsError` when it lives: of several at once, one gets to do it."""
        ...


@runtime_checkable
class Pauses(Protocol):
    """Can freeze and thaw."""

    async def pause(self, ref: Ref) -> None:
        """Freeze every process."""
        ...

    async def resume(self, ref: Ref) -> None:
        """Let them go on."""
        ...


@runtime_checkable
class Inspects(Protocol):
    """Can tell more than the listing does."""

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """Everything the engine knows, as plain values for a person to read."""
        ...


@runtime_checkable
class RunsOnce(Protocol):
    """Can run a command in a sandbox that exists for that command only."""

    async def run_once(self, spec: Spec, *, timeout: float | None = None) -> Execution:
        """Make it, run it, take it away; also when cancelled, late, or left by its caller."""
        ...


@runtime_checkable
class Sessions(Protocol):
    """Can keep a shell open."""

    async def session(self, ref: Ref) -> Session:
        """A new persistent shell inside. Raises `NotRunningError`."""
        ...


@runtime_checkable
class Files(Protocol):
    """Has files. Names are only names: no shell ever sees them."""

    async def read(self, ref: Ref, path: str) -> bytes:
        """The content of a file, also in `/proc`. Raises `FileError` for a folder."""
        ...

    async def write(self, ref: Ref, path: str, content: bytes) -> None:
        """Make or replace a file as the sandbox's own user; its folder is made when missing."""
        ...

    async def list(self, ref: Ref, path: str = "") -> tuple[FileEntry, ...]:
        """What a folder holds, sorted by name; `path` empty is the user's home."""
        ...


@runtime_checkable
class Copies(Protocol):
    """Copies files and folders in and out, streamed, in constant memory."""

    async def push(self, ref: Ref, source: Path, target: str) -> Transfer:
        """Copy in; a `target` that ends in `/`, or is a folder, is copied *into*."""
        ...

    async def pull(self, ref: Ref, source: str, target: Path) -> Transfer:
        """Copy out, all or nothing; what would leave `target` is refused."""
        ...


@runtime_checkable
class Commits(Protocol):
    """Can keep its files as an image."""

    async def snapshot(self, ref: Ref, image: str) -> str:
        """The id of the new image."""
        ...


@runtime_checkable
class Images(Protocol):
    """Has images to make sandboxes of."""

    async def pull_image(self, image: str) -> Transfer:
        """Fetch one from its registry. Raises `ImageNotFoundError` where it is awaited."""
        ...

    async def has_image(self, image: str) -> bool:
        """Whether it is here already."""
        ...


@runtime_checkable
class Builds(Protocol):
    """Can make images."""

    async def build_image(
        self, folder: Path, image: str, *, dockerfile: str = "Dockerfile"
    ) -> Transfer:
        """Build what `dockerfile` in `folder` says; awaiting it gives the image's id.

        The steps are told as its progress. Raises `BuildFailedError` where it is awaited.
        """
        ...


@runtime_checkable
class ImageFiles(Protocol):
    """Carries images from one machine to another."""

    async def export_images(self, images: Sequence[str], target: Path) -> Transfer:
        """Write them into one tar file, all or nothing; awaiting it gives the file's path."""
        ...

    async def import_images(self, source: Path) -> Transfer:
        """Take in what such a file has; awaiting it gives the images' names, one per line."""
        ...


@runtime_checkable
class Pooled(Protocol):
    """Keeps kernels ready."""

    async def pools(self) -> tuple[PoolState, ...]:
        """How many stand ready, of each environment."""
        ...

    async def flush_pool(self) -> None:
        """End them; new ones are made in the background."""
        ...


@runtime_checkable
class Notebooks(Protocol):
    """Holds a document of cells and runs them in order."""

    async def open_room(self, spec: RoomSpec) -> Ref:
        """Have that room, which runs nothing when it is new.

        One without cells takes in its notebook file; raises `ConflictError` when it has others,
        `InvalidSpecError` for a file that cannot be read.
        """
        ...

    def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The document with its outputs now, then whenever it changed; a slow reader skips."""
        ...

    async def edit(self, change: CellChange) -> str:
        """Change the document; answers with the id of the cell, if it is about one.

        Raises `CellNotFoundError`.
        """
        ...

    async def run_cells(
        self, ref: Ref, cell_ids: Sequence[str], *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue these cells with the source they have when their turn comes, one execution each.

        An error in one drops the rest of this call with `CANCELLED` results.
        """
        ...
