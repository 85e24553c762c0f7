"""Where a viewer's outputs come from: a room, a kernel's connection file, or this very IPython."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.rooms.viewer.board import Board
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import InvalidSpecError, SandboxError
from sandbox_tui.model.outputs import Display, Failure
from sandbox_tui.model.refs import Kind, Ref

JOINING = 0.3
"""Longest wait for a kernel to answer, in seconds; one that is busy is heard all the same."""


class Source(Protocol):
    """Puts what is said on a board until it is closed."""

    async def open(self, board: Board) -> None:
        """Begin."""
        ...

    async def close(self) -> None:
        """End, and leave everything as it was."""
        ...


class RoomSource:
    """Every cell's latest run in a room."""

    def __init__(self, ref: Ref) -> None:
        self._ref = ref
        self._api: RemoteApi | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, board: Board) -> None:
        """Connect to the daemon. Raises `NotFoundError`."""
        api = self._api = await RemoteApi.connect(start=True)
        notebooks = aiter(api.notebooks(self._ref))
        _show(board, {}, await anext(notebooks))
        self._task = asyncio.create_task(self._keep_up(board), name=f"viewer of {self._ref}")

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._api is not None:
            await self._api.aclose()

    async def _keep_up(self, board: Board) -> None:
        assert self._api is not None
        shown: dict[str, object] = {}
        try:
            async for notebook in self._api.notebooks(self._ref):
                _show(board, shown, notebook)
        except SandboxError as error:
            board.add("lost", "lost", Failure("ConnectionLost", error.message))


def _show(board: Board, shown: dict[str, object], notebook: Notebook) -> None:
    """Put the runs on the board that are not there as they are now."""
    for entry in notebook.cells:
        run = entry.run
        if run is not None and run.outputs and shown.get(entry.cell.id) != run:
            shown[entry.cell.id] = run
            count = "*" if run.execution_count is None else run.execution_count
            board.put(f"{entry.cell.id}-{run.execution_id}", f"In [{count}]", run.outputs)


class KernelSource:
    """Whatever a kernel says from now on, whoever runs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._close: Callable[[], Any] | None = None

    async def open(self, board: Board) -> None:
        """Join the kernel. Raises `InvalidSpecError` for what is no connection file."""
        from sandbox_tui.backends.kernels.client import KernelClient
        from sandbox_tui.backends.kernels.connection import read_connection
        from sandbox_tui.backends.kernels.wire import new_context

        try:
            connection = await asyncio.to_thread(read_connection, self._path)
        except (OSError, msgspec.MsgspecError) as error:
            raise InvalidSpecError("connection file", f"{self._path}: {error}") from None
        context = await asyncio.to_thread(new_context)
        client = KernelClient(context, connection, _Heard(board))

        async def close() -> None:
            await client.close()
            await asyncio.to_thread(context.term)

        self._close = close
        await client.ready(JOINING)

    async def close(self) -> None:
        """Part from it; it goes on."""
        if self._close is not None:
            await self._close()


class _Heard:
    """A listener that puts each run on a board (see `kernels.client.Listener`)."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._run, self._title = "before", ""

    def heard(self, execution: object, event: object) -> None:
        """Somebody's run said something, or began."""
        from sandbox_tui.backends.kernels.messages import Began
        from sandbox_tui.model.outputs import Text

        del execution
        if isinstance(event, Began):
            self._run, self._title = uuid.uuid4().hex, f"In [{event.execution_count}]"
        elif isinstance(event, (Text, Display, Failure)):
            self._board.add(self._run, self._title, event)

    def changed(self) -> None:
        """It is busy or idle."""


class IPythonSource:
    """What a terminal IPython of this process displays: its hooks are bridged to the board.

    Called in the loop's thread; IPython calls back in its own.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._types: object = ()
        self._publish: Callable[..., object] | None = None
        self._tell: Callable[[Display], None] = lambda _: None

    async def open(self, board: Board) -> None:
        """Bridge `display()` and the values of cells."""
        loop = asyncio.get_running_loop()
        publisher = self._shell.display_pub
        original = self._publish = publisher.publish

        def tell(display: Display) -> None:
            count = self._shell.execution_count
            loop.call_soon_threadsafe(board.add, f"run-{count}", f"In [{count}]", display)

        def publish(data: Mapping[str, object], *args: object, **options: object) -> object:
            tell(_display(data, None))
            return original(data, *args, **options)

        self._tell = tell
        publisher.publish = publish
        formatter = self._shell.display_formatter
        self._types, formatter.active_types = formatter.active_types, formatter.format_types
        self._shell.events.register("post_run_cell", self._ran)

    async def close(self) -> None:
        """Give the hooks back."""
        if self._publish is not None:
            self._shell.display_pub.publish = self._publish
            self._shell.display_formatter.active_types = self._types
            self._shell.events.unregister("post_run_cell", self._ran)
            self._publish = None

    def _ran(self, result: Any) -> None:
        """A cell ended; what it is worth has forms that a terminal does not show."""
        if result.result is not None:
            data, _ = self._shell.display_formatter.format(result.result)
            self._tell(_display(data, result.execution_count))


def _display(data: Mapping[str, object], count: int | None) -> Display:
    return Display({mime: _as_text(value) for mime, value in data.items()}, execution_count=count)


def _as_text(value: object) -> object:
    """Pictures are bytes in a terminal's IPython, and base64 everywhere else."""
    import base64

    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def source_of(what: str | Path | None) -> tuple[Source, str]:
    """The source that `what` names, and what to call it.

    Nothing: the kernel that this code runs in, or this terminal's IPython. Raises
    `InvalidSpecError` where there is neither.
    """
    if what is None:
        return _here()
    text = str(what)
    if isinstance(what, Path) or (text.endswith(".json") and not text.startswith("room:")):
        return KernelSource(Path(what).expanduser()), Path(what).stem
    ref = Ref(text) if text.startswith("room:") else Ref.make(Kind.ROOM, text)
    return RoomSource(ref), str(ref)


def _here() -> tuple[Source, str]:
    """Without importing IPython: who does not run in it does not have it loaded."""
    shell = _shell()
    if shell is None:
        hint = "Give a room's name or a kernel's connection file."
        raise _NothingHereError(hint)
    if (path := _connection_file(shell)) is not None:
        return KernelSource(path), path.stem
    return IPythonSource(shell), "IPython"


class _NothingHereError(InvalidSpecError):
    def __init__(self, hint: str) -> None:
        super().__init__("sidecar", "this code runs in no IPython")
        self.hint = hint


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return cast(Any, ipython).get_ipython() if ipython is not None else None


def _connection_file(shell: Any) -> Path | None:
    """Of the kernel that the shell belongs to; `None` in a terminal."""
    kernel = getattr(shell, "kernel", None)
    application = getattr(kernel, "parent", None)
    path = getattr(application, "abs_connection_file", None)
    return Path(path) if isinstance(path, str) else None
