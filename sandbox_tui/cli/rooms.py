"""`room`: notebooks with a live kernel, from the shell."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import AsyncGenerator, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import click
import msgspec

from sandbox_tui.api.base import Api
from sandbox_tui.cli import opening, typed
from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.frame import Answer, Frame, command
from sandbox_tui.cli.listing import list_sandboxes
from sandbox_tui.cli.names import find, machine
from sandbox_tui.cli.notebooks import as_ipynb, as_text, cell_id_of
from sandbox_tui.cli.outputs import stream_all
from sandbox_tui.cli.verbs import perform
from sandbox_tui.model.actions import (
    AddCell,
    AppendSource,
    ClearOutputs,
    EditCell,
    MoveCell,
    RemoveCell,
    RunAll,
    SaveAs,
)
from sandbox_tui.model.cells import CellKind, Notebook
from sandbox_tui.model.errors import OperationFailedError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import RoomFacts
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing

WALLS = "none|container|container+network"

NOTEBOOK = ".ipynb"


class Room(NamedTuple):
    """A room that was found, and how to reach it."""

    api: Api
    ref: Ref

    async def notebook(self) -> Notebook:
        """Its cells and outputs as they are now."""
        async with closing(self.api.notebooks(self.ref)) as notebooks:
            return await anext(aiter(notebooks))

    async def cell_ids(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The cells that these ids or numbers name."""
        notebook = await self.notebook()
        return tuple(cell_id_of(notebook, text) for text in texts)

    @property
    def kernel(self) -> str:
        """Name of its kernelspec."""
        box = self.api.world.get(self.ref)
        return box.facts.kernel if box is not None and isinstance(box.facts, RoomFacts) else ""


def _id() -> click.Argument:
    return name_argument("ID")


def _cell() -> click.Argument:
    return click.Argument(["cell"], metavar="CELL")


def _source() -> click.Argument:
    return click.Argument(["source"], nargs=-1, metavar="[SOURCE | -]")


def _yes() -> click.Option:
    return click.Option(["-y", "--yes"], is_flag=True, help="Do not ask.")


@command(
    "new",
    _id(),
    click.Option(["--kernel"], metavar="NAME", help="Kernelspec; python by default."),
    click.Option(["--workdir", "working_dir"], metavar="FOLDER", help="Folder to start in."),
    click.Option(["--env"], multiple=True, metavar="NAME=VALUE", help="Environment variable."),
    click.Option(["--env-source"], metavar="SOURCE", help="Environment, as uv:prewarmed."),
    click.Option(["--isolation"], metavar=WALLS, help="What its kernel is shut in."),
    click.Option(["--notebook"], metavar="FILE", help="Notebook file to begin with."),
)
async def new(frame: Frame, *, name: str, **values: Any) -> Answer:
    """Make a room with a kernel, or give a kernel to one that has none."""
    return await perform("start", _in_rooms(frame), name, values)


@command("open", _id())
def open_room(frame: Frame, *, name: str) -> int | Coroutine[Any, Any, Answer]:
    """Open the dashboard at a room; without a terminal, print its cells.

    An `.ipynb` file is opened as a room of its name.
    """
    if name.endswith(NOTEBOOK):
        return _open_file(frame, name)
    if opening.has_screen() and not frame.json:
        select = name if name.startswith("room:") else f"room:{name}"
        return opening.open_dashboard(demo=frame.demo, select=select)
    return _print_cells(frame, name)


async def _open_file(frame: Frame, file: str) -> Answer:
    name = Path(file).stem
    code = await perform("start", _in_rooms(frame), name, {"notebook": file})
    if code != OK or frame.json:
        return code
    if opening.has_screen():
        return functools.partial(opening.open_dashboard, demo=frame.demo, select=f"room:{name}")
    return await _print_cells(frame, name)


@command("ls")
async def ls(frame: Frame) -> int:
    """List the rooms."""
    return await list_sandboxes(_in_rooms(frame), everything=True)


@command("cells", _id())
async def cells(frame: Frame, *, name: str) -> Answer:
    """Print a room's cells and what their latest runs said."""
    return await _print_cells(frame, name)


@command(
    "add",
    _id(),
    _source(),
    click.Option(
        ["--kind"],
        type=click.Choice([kind.value for kind in CellKind]),
        default=CellKind.CODE.value,
        show_default=True,
    ),
    click.Option(["--index"], type=click.IntRange(min=0), help="Place from 0; else the end."),
)
def add(
    frame: Frame, *, name: str, source: Sequence[str], kind: str, index: int | None
) -> Coroutine[Any, Any, Answer]:
    """Add a cell and print its id; `-` reads the source from standard input."""
    text = " ".join(typed.read(source, "SOURCE"))

    async def work() -> Answer:
        async with _room(frame, name) as room:
            action = AddCell(ref=room.ref, source=text, kind=CellKind(kind), index=index)
            cell_id = await room.api.perform(action)
        if frame.json:
            frame.show_json({"ref": room.ref, "cell": cell_id})
        else:
            frame.show(str(cell_id))
        return OK

    return work()


@command("edit", _id(), _cell(), _source())
def edit(
    frame: Frame, *, name: str, cell: str, source: Sequence[str]
) -> Coroutine[Any, Any, Answer]:
    """Give a cell another source; CELL is its id or its number."""
    text = " ".join(typed.read(source, "SOURCE"))

    async def work() -> Answer:
        async with _room(frame, name) as room:
            [cell_id] = await room.cell_ids([cell])
            await room.api.perform(EditCell(ref=room.ref, cell_id=cell_id, source=text))
        return _done(frame, room.ref, cell_id, "edited")

    return work()


@command("append", _id(), _cell(), _source())
def append(
    frame: Frame, *, name: str, cell: str, source: Sequence[str]
) -> Coroutine[Any, Any, Answer]:
    """Put text at the end of a cell's source, as it is; `-` reads it from standard input."""
    text = " ".join(typed.read(source, "SOURCE"))

    async def work() -> Answer:
        async with _room(frame, name) as room:
            [cell_id] = await room.cell_ids([cell])
            await room.api.perform(AppendSource(ref=room.ref, cell_id=cell_id, text=text))
        return _done(frame, room.ref, cell_id, "appended to")

    return work()


@command("move", _id(), _cell(), click.Argument(["index"], type=click.IntRange(min=0)))
async def move(frame: Frame, *, name: str, cell: str, index: int) -> Answer:
    """Put a cell at another place, counted from 0."""
    async with _room(frame, name) as room:
        [cell_id] = await room.cell_ids([cell])
        await room.api.perform(MoveCell(ref=room.ref, cell_id=cell_id, index=index))
    return _done(frame, room.ref, cell_id, "moved")


@command("clear", _id(), click.Argument(["cell"], required=False, metavar="[CELL]"))
async def clear(frame: Frame, *, name: str, cell: str | None) -> Answer:
    """Forget what a cell's last run said; every cell's without CELL."""
    async with _room(frame, name) as room:
        [cell_id] = await room.cell_ids([cell]) if cell is not None else [None]
        await room.api.perform(ClearOutputs(ref=room.ref, cell_id=cell_id))
    return _done(frame, room.ref, cell_id, "cleared the outputs of")


@command(
    "run",
    _id(),
    click.Argument(["names"], nargs=-1, required=True, metavar="CELL..."),
    click.Option(["--timeout"], type=click.FloatRange(min=0), metavar="SECONDS"),
)
async def run(frame: Frame, *, name: str, names: Sequence[str], timeout: float | None) -> Answer:
    """Run cells with the source they have now; an error drops the rest."""
    async with _room(frame, name) as room:
        return await _run(frame, room, await room.cell_ids(names), timeout)


@command(
    "run-all",
    _id(),
    click.Option(["--timeout"], type=click.FloatRange(min=0), metavar="SECONDS"),
)
async def run_all(frame: Frame, *, name: str, timeout: float | None) -> Answer:
    """Run every code cell in order; an error drops the rest."""
    async with _room(frame, name) as room:
        return await _run(frame, room, None, timeout)


@command("interrupt", _id())
async def interrupt(frame: Frame, *, name: str) -> Answer:
    """End what runs and what waits; the kernel keeps its memory."""
    return await perform("interrupt", _in_rooms(frame), name, {})


@command("restart", _id(), _yes())
async def restart(frame: Frame, *, name: str, yes: bool) -> Answer:
    """Begin with a new kernel; the cells stay."""
    return await perform("restart", _in_rooms(frame), name, {}, yes=yes)


@command(
    "rm",
    _id(),
    click.Argument(["cell"], required=False, metavar="[CELL]"),
    click.Option(["--force"], is_flag=True, help="Even while it runs."),
    _yes(),
)
async def rm(frame: Frame, *, name: str, cell: str | None, force: bool, yes: bool) -> Answer:
    """Take a room and its cells away, or one cell out of it."""
    if cell is None:
        return await perform("rm", _in_rooms(frame), name, {"force": force}, yes=yes)
    async with _room(frame, name) as room:
        [cell_id] = await room.cell_ids([cell])
        await room.api.perform(RemoveCell(ref=room.ref, cell_id=cell_id))
    return _done(frame, room.ref, cell_id, "removed")


@command("export", _id(), click.Argument(["file"], required=False, metavar="[FILE.ipynb]"))
async def export(frame: Frame, *, name: str, file: str | None) -> Answer:
    """Write a room with its outputs as a notebook file, to standard output without FILE."""
    async with _room(frame, name) as room:
        data = as_ipynb(await room.notebook(), room.kernel)
    return functools.partial(_write, frame, room.ref, data, file)


@command("save", _id(), click.Argument(["file"], required=False, metavar="[FILE.ipynb]"))
async def save(frame: Frame, *, name: str, file: str | None) -> Answer:
    """Have a room written as a notebook file, by default the one it was opened from."""
    async with _room(frame, name) as room:
        path = await room.api.perform(SaveAs(ref=room.ref, path=file or ""))
    frame.tell(f"wrote {path}")
    if frame.json:
        frame.show_json({"ref": room.ref, "file": path})
    return OK


room = click.Group(
    "room",
    commands=[
        new,
        open_room,
        ls,
        cells,
        add,
        edit,
        append,
        move,
        run,
        run_all,
        clear,
        interrupt,
        restart,
        rm,
        save,
        export,
    ],
    help="Notebooks with a live kernel, shared by everybody who opens them.",
)


@contextlib.asynccontextmanager
async def _room(frame: Frame, name: str) -> AsyncGenerator[Room]:
    frame = _in_rooms(frame)
    async with machine(frame, name) as api:
        yield Room(api, await find(frame, api.world, name))


def _in_rooms(frame: Frame) -> Frame:
    return msgspec.structs.replace(frame, kind=Kind.ROOM)


async def _print_cells(frame: Frame, name: str) -> Answer:
    async with _room(frame, name) as room:
        notebook = await room.notebook()
    if frame.json:
        frame.show_json(notebook)
    else:
        frame.show(as_text(notebook))
    return OK


async def _run(
    frame: Frame, room: Room, cell_ids: tuple[str, ...] | None, timeout: float | None
) -> int:
    action = RunAll(ref=room.ref, cell_ids=cell_ids, timeout=timeout)
    executions = cast("list[Execution]", await room.api.perform(action))
    return await stream_all(frame, room.ref, executions)


def _done(frame: Frame, ref: Ref, cell_id: str | None, what: str) -> int:
    frame.tell(f"{what} {cell_id or 'every cell'} of {ref}")
    if frame.json:
        frame.show_json({"ref": ref, "cell": cell_id, "done": what})
    return OK


def _write(frame: Frame, ref: Ref, data: bytes, file: str | None) -> int:
    if file is None or file == typed.STDIN:
        sys.stdout.buffer.write(data)
        return OK
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise OperationFailedError(ref, "export", f"{file}: {error.strerror}") from None
    frame.tell(f"wrote {file}")
    if frame.json:
        frame.show_json({"ref": ref, "file": file})
    return OK
