"""The magics for what runs on this machine anyway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.magics.conftest import Notebook


@pytest.fixture
def room(notebook: Notebook) -> Iterator[Notebook]:
    """A notebook beside a room called `lab`."""
    notebook.run(
        "from sandbox_tui.api import blocking\n"
        "from sandbox_tui.model.actions import Start\n"
        "from sandbox_tui.model.refs import Kind\n"
        "with blocking() as api: lab = api.perform(Start(name='lab', kind=Kind.ROOM))"
    )
    assert notebook.value("lab") == "Ref('room:lab')"
    yield notebook
    notebook.run("from sandbox_tui.api import daemon\nimport asyncio\nawait daemon.stop()")


def test_a_cell_runs_in_another_room(room: Notebook) -> None:
    said = room.run(
        "%%room lab\nimport sys\nx = 20 + 22\nprint('there'); print('bad', file=sys.stderr)\nx"
    )
    assert (said.stdout, said.red) == ("there\n", "bad\n")
    assert said.data == [{"text/plain": "42"}]
    assert room.run("%%room room:lab\nprint(x)").stdout == "42\n"
    assert room.run("'x' in globals()").data == [{"text/plain": "False"}]
    said = room.run("%%room lab\n1/0")
    assert "ZeroDivisionError" in said.red
    assert said.error == ""
    assert room.run("%%room --check lab\n1/0").error.startswith("CellFailedError")


def test_what_there_is_can_be_seen(room: Notebook) -> None:
    said = room.run("%sandbox kind:room")
    assert "room:lab" in said.stdout
    assert "idle" in said.stdout
    assert "room:lab" not in room.run("%sandbox kind:tmux").stdout


def test_an_interrupt_ends_the_cell_in_its_room(room: Notebook) -> None:
    request = room.begin("%%room lab\nprint('on')\nimport time; time.sleep(60)")
    room.until(request, "on\n")
    room.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in room.end(request).error
    assert room.run("%%room lab\nprint('next')").stdout == "next\n"
