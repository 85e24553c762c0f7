"""Where a page's outputs come from: a room, or a kernel by its connection file."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from sandbox_tui.api.base import Api
from sandbox_tui.backends.kernels.client import KernelClient
from sandbox_tui.backends.kernels.connection import read_connection
from sandbox_tui.backends.kernels.messages import Began
from sandbox_tui.backends.kernels.wire import Wire, new_context
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.outputs import Display, Failure, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.pages.board import Board

JOINING = 0.3
"""Longest wait for a kernel to answer, in seconds; one that is busy is heard all the same."""

LOOK = 5.0
"""Seconds between two looks whether a kernel's connection file is still there."""

Source = Callable[[Board], AbstractAsyncContextManager[AsyncIterator[None]]]
"""Shows what is there when it is entered, and what comes while it is iterated; ends by itself."""


def of_room(api: Api, ref: Ref) -> Source:
    """Every cell's latest run in a room. Raises `NotFoundError` when it is entered."""

    @asynccontextmanager
    async def source(board: Board) -> AsyncGenerator[AsyncIterator[None]]:
        async with closing(api.notebooks(ref)) as notebooks:
            shown: dict[str, object] = {}
            _show(board, shown, await anext(notebooks))

            async def rest() -> AsyncIterator[None]:
                async for notebook in notebooks:
                    _show(board, shown, notebook)
                    yield

            yield rest()

    return source


def _show(board: Board, shown: dict[str, object], notebook: Notebook) -> None:
    """Put the runs on the board that are not there as they are now."""
    for entry in notebook.cells:
        run = entry.run
        if run is not None and run.outputs and shown.get(entry.cell.id) != run:
            shown[entry.cell.id] = run
            count = "*" if run.execution_count is None else run.execution_count
            board.put(f"{entry.cell.id}-{run.execution_id}", f"In [{count}]", run.outputs)


def of_kernel(path: Path) -> Source:
    """Whatever a kernel says from now on, whoever runs it, for as long as its file is there.

    Raises `InvalidSpecError` for what is no connection file when it is entered.
    """

    @asynccontextmanager
    async def source(board: Board) -> AsyncGenerator[AsyncIterator[None]]:
        try:
            connection = await asyncio.to_thread(read_connection, path)
        except (OSError, msgspec.MsgspecError) as error:
            raise InvalidSpecError("connection file", f"{path}: {error}") from None
        context = await asyncio.to_thread(new_context)
        client = KernelClient(partial(Wire, context, connection), _Heard(board))
        try:
            await client.ready(JOINING)
            yield _while_there(path)
        finally:
            await client.close()
            await asyncio.to_thread(context.term)

    return source


async def _while_there(path: Path) -> AsyncIterator[None]:
    while await asyncio.to_thread(path.exists):
        await asyncio.sleep(LOOK)
        yield


class _Heard:
    """A listener that puts each run on a board (see `kernels.client.Listener`)."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._run, self._title = "before", ""

    def heard(self, execution: object, event: object) -> None:
        """Somebody's run said something, or began."""
        del execution
        if isinstance(event, Began):
            self._run, self._title = uuid.uuid4().hex, f"In [{event.execution_count}]"
        elif isinstance(event, (Text, Display, Failure)):
            self._board.add(self._run, self._title, event)

    def changed(self) -> None:
        """It is busy or idle."""
