"""The Notebook tab: first the action, then the cells on the screen."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sandbox_tui.model.actions import (
    AddCell,
    ClearOutputs,
    EditCell,
    Interrupt,
    MoveCell,
    RemoveCell,
    RunAll,
    RunCell,
)
from sandbox_tui.model.cells import CellKind, NotebookCell
from sandbox_tui.model.refs import Ref
from tests.tui.machine import Machine, Sight

ROOM = Ref("room:analysis")


@contextlib.asynccontextmanager
async def notebook(
    machine: Machine, *sources: str, size: tuple[int, int] = (120, 40)
) -> AsyncGenerator[Sight]:
    """A dashboard in the Notebook tab of a room with these cells, the first one selected."""
    for number, source in enumerate(sources, start=1):
        await machine.rooms.edit(AddCell(ref=ROOM, source=source, cell_id=f"c{number}"))
    async with machine.dashboard(size, select="analysis") as sight:
        await sight.until(lambda: sight.selected == ROOM)
        await sight.press("enter", "B")
        await sight.until(lambda: sight.dashboard.viewer.cells == len(sources))
        sight.dashboard.viewer.panels.notebook.first()
        yield sight


def typed(machine: Machine) -> list[object]:
    """What was done, without the edits that are told while somebody types."""
    done = machine.actions
    return [a for at, a in enumerate(done) if not (isinstance(a, EditCell) and a in done[at + 1 :])]


async def cells(machine: Machine) -> list[NotebookCell]:
    return list((await anext(machine.rooms.notebooks(ROOM))).cells)


async def sources(machine: Machine) -> list[str]:
    return [entry.cell.source for entry in await cells(machine)]


async def test_run_and_go_on_down_to_a_new_cell(machine: Machine) -> None:
    async with notebook(machine, "echo one", "echo two") as sight:
        await sight.sees("cell 1 of 2")
        await sight.press("ctrl+j")
        await sight.until(lambda: machine.actions == [RunCell(ref=ROOM, cell_id="c1")])
        await sight.sees("In[1] ● done", "cell 2 of 2")
        await sight.press("ctrl+j")
        await sight.sees("In[2] ● done", "cell 3 of 3", "esc leave")
        added = machine.actions[-1]
        assert isinstance(added, AddCell)
        assert added.index == 2
        await sight.type("echo three")
        await sight.press("ctrl+r")
        await sight.sees("In[3] ● done")
        assert await sources(machine) == ["echo one", "echo two", "echo three"]
        assert machine.actions[-1] == RunCell(ref=ROOM, cell_id=added.cell_id)


async def test_editing_in_place_keeps_what_was_typed(machine: Machine) -> None:
    async with notebook(machine, "for x in y:", "z") as sight:
        await sight.press("enter")
        await sight.sees("esc leave")
        await sight.press("enter")
        await sight.type("a[b] q")
        await sight.sees("    a[b] q", " z")
        assert sight.dashboard.viewer.panels.is_typed_into
        await sight.press("escape")
        await sight.misses("esc leave")
        wanted = EditCell(ref=ROOM, cell_id="c1", source="for x in y:\n    a[b] q")
        await sight.until(lambda: machine.actions[-1] == wanted)
        await sight.sees("    a[b] q")
        await sight.press("j", "k", "escape")
        assert sight.half == "list"


async def test_nothing_is_done_when_nothing_was_typed(machine: Machine) -> None:
    async with notebook(machine, "one") as sight:
        await sight.press("enter")
        await sight.sees("esc leave")
        await sight.press("escape")
        await sight.misses("esc leave")
        assert machine.actions == []


async def test_others_see_what_is_typed_while_it_is_typed(machine: Machine) -> None:
    async with notebook(machine, "x") as sight:
        await sight.press("enter")
        await sight.type(" = 1")
        await sight.until(
            lambda: machine.actions == [EditCell(ref=ROOM, cell_id="c1", source="x = 1")]
        )
        assert sight.dashboard.viewer.panels.is_typed_into


async def test_others_edits_arrive_while_a_cell_is_open(machine: Machine) -> None:
    async with notebook(machine, "mine", "other") as sight:
        await sight.press("enter")
        await sight.type(" too")
        await machine.rooms.edit(EditCell(ref=ROOM, cell_id="c2", source="theirs 2"))
        await sight.sees("theirs 2", "mine too")
        await sight.until(lambda: machine.actions)
        await machine.rooms.edit(EditCell(ref=ROOM, cell_id="c1", source="# é\nmine too"))
        await sight.sees("# é", "mine too")
        await sight.type("!")
        await sight.press("escape")
        await sight.sees("mine too!")
        assert await sources(machine) == ["# é\nmine too!", "theirs 2"]


async def test_a_cell_that_is_deleted_while_it_is_open_is_not_lost(machine: Machine) -> None:
    async with notebook(machine, "one", "two") as sight:
        await sight.press("enter")
        await sight.type(" more")
        await sight.sees("one more")
        await machine.rooms.edit(RemoveCell(ref=ROOM, cell_id="c1"))
        await sight.until(lambda: "somebody deleted the cell" in sight.notices)
        assert not sight.dashboard.viewer.panels.is_typed_into
        await sight.press("ctrl+z")
        await sight.sees("one more")
        assert sorted(await sources(machine)) == ["one more", "two"]


async def test_cells_are_added_above_and_below(machine: Machine) -> None:
    async with notebook(machine, "middle") as sight:
        await sight.press("a")
        await sight.sees("cell 1 of 2", "esc leave")
        await sight.type("first")
        await sight.press("escape", "j", "b")
        await sight.sees("cell 3 of 3")
        await sight.type("last")
        await sight.press("escape", "m")
        await sight.sees("cell 4 of 4")
        await sight.type("# words")
        await sight.press("escape")
        await sight.sees("markdown", "# words")
        assert await sources(machine) == ["first", "middle", "last", "# words"]
        assert (await cells(machine))[3].cell.kind is CellKind.MARKDOWN


async def test_a_cell_is_moved(machine: Machine) -> None:
    async with notebook(machine, "one", "two", "three") as sight:
        await sight.press("J")
        await sight.sees("cell 2 of 3")
        assert await sources(machine) == ["two", "one", "three"]
        await sight.press("K", "K")
        await sight.sees("cell 1 of 3")
        assert machine.actions == [
            MoveCell(ref=ROOM, cell_id="c1", index=1),
            MoveCell(ref=ROOM, cell_id="c1", index=0),
        ]


async def test_deleting_wants_the_key_twice_and_can_be_undone(machine: Machine) -> None:
    async with notebook(machine, "one", "two", "three") as sight:
        await sight.press("j", "d")
        await sight.sees("d once more: delete cell")
        assert machine.actions == []
        await sight.press("d")
        await sight.until(lambda: machine.actions == [RemoveCell(ref=ROOM, cell_id="c2")])
        await sight.sees("cell 2 of 2")
        await sight.press("ctrl+z")
        await sight.sees("cell 2 of 3", "two")
        assert await sources(machine) == ["one", "two", "three"]
        await sight.press("ctrl+z")
        await sight.until(lambda: "no cell was deleted here" in sight.notices)


async def test_run_all_queue_interrupt_and_clear(machine: Machine) -> None:
    async with notebook(machine, "echo hello", "sleep 30", "echo never") as sight:
        await sight.press("A")
        await sight.sees("In[1] ● done", "● running", "◌ queued", "1 queued")
        assert machine.actions == [RunAll(ref=ROOM)]
        await sight.press("I", "I")
        await sight.sees("✕ interrupted")
        assert machine.actions[-1] == Interrupt(ref=ROOM)
        await sight.misses("◌ queued")
        await sight.press("ctrl+l")
        await sight.misses("In[1] ● done")
        assert machine.actions[-1] == ClearOutputs(ref=ROOM, cell_id="c1")
        assert await sources(machine) == ["echo hello", "sleep 30", "echo never"]


async def test_the_keys_are_the_cells_only_there(machine: Machine) -> None:
    async with notebook(machine, "one") as sight:
        assert sight.dashboard.keymap.answers("cell.above", "a", sight.dashboard.situation)
        await sight.press("escape")
        assert sight.dashboard.keymap.answers("sandbox.attach", "a", sight.dashboard.situation)
        await sight.press("enter", "l")
        assert sight.dashboard.keymap.answers("sandbox.attach", "a", sight.dashboard.situation)


async def test_the_palette_has_the_cells_commands_there(machine: Machine) -> None:
    async with notebook(machine, "echo one") as sight:
        await sight.press(":")
        await sight.type("clear all")
        await sight.sees("Clear all outputs")
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [ClearOutputs(ref=ROOM)])


async def test_leaving_the_room_saves_the_open_cell(machine: Machine) -> None:
    async with notebook(machine, "one") as sight:
        await sight.press("enter")
        await sight.type(" more")
        sight.select("room:scratch")
        await sight.until(lambda: sight.selected == "room:scratch")
        await sight.until(
            lambda: EditCell(ref=ROOM, cell_id="c1", source="one more") in machine.actions
        )


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_long_cell_is_scrolled_to_the_cursor(
    machine: Machine, size: tuple[int, int]
) -> None:
    source = "\n".join(f"line {n}" for n in range(60))
    async with notebook(machine, source, "after", size=size) as sight:
        await sight.press("enter")
        await sight.sees("line 59")
        await sight.type(" end")
        await sight.sees("line 59 end")
        await sight.press("ctrl+home", *["up"] * 59)
        await sight.sees("line 0", "In[ ]")


async def test_what_commands_a_terminal_is_harmless_in_an_open_cell(machine: Machine) -> None:
    async with notebook(machine, "x") as sight:
        await machine.rooms.edit(
            EditCell(ref=ROOM, cell_id="c1", source="a\x1b]0;t\x07b [red]m[/red]")
        )
        await sight.sees("[red]m[/red]")
        await sight.press("enter")
        await sight.sees("a␛]0;t␇b [red]m[/red]")
        assert not set(sight.text()) & set("\x1b\x07")


async def test_double_click_opens_a_cell(machine: Machine) -> None:
    async with notebook(machine, "one", "two") as sight:
        view = sight.dashboard.viewer.panels.notebook
        await sight.pilot.click(view, offset=(5, 4), times=2)
        await sight.sees("cell 2 of 2", "esc leave")


def test_in_the_persons_own_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox_tui.tui import editor

    program = tmp_path / "my editor"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", f"'{program}' --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    assert editor._program() == [str(program), "--wait"]
