"""The rooms face over a real daemon and real kernels: what its users rely on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.api.rooms import DaemonClient, RoomError, RuntimedError, Session
from tests.integration.daemon.conftest import processes
from tests.support import retry_until


def test_a_room_from_nothing_to_a_result() -> None:
    session = Session()
    assert re.fullmatch(r"agent-session-\w+", session.notebook_id)
    assert not session.is_connected
    assert not DaemonClient().is_running()
    with session:
        session.connect()
        assert session.is_connected
        assert not session.kernel_started
        cell_id = session.create_cell("print('hello')")
        assert cell_id.startswith("cell-")
        assert not session.kernel_started
        session.start_kernel()
        assert session.kernel_started
        result = session.execute_cell(cell_id)
        assert (result.stdout, result.success, result.error) == ("hello\n", True, None)
        assert (result.cell_id, result.execution_count) == (cell_id, 1)
        assert session.get_cell(cell_id).execution_count == 1
        assert session.get_cell(cell_id).outputs == result.outputs
    assert not session.is_connected
    [row] = DaemonClient().list_rooms()
    assert (row["notebook_id"], row["has_kernel"]) == (session.notebook_id, False)
    assert row["kernel_status"] == "not_started"


def test_executing_starts_a_kernel_when_none_was_started() -> None:
    with Session("lab") as session:
        session.connect()
        assert session.run("6 * 7").display_data[0].data == {"text/plain": "42"}
        assert session.kernel_started


def test_outputs_in_the_words_of_notebooks(session: Session) -> None:
    code = "import sys; print('a'); print('b'); print('c', file=sys.stderr); {'x': 1}"
    result = session.run(code)
    assert [(o.output_type, o.name, o.text) for o in result.outputs[:2]] == [
        ("stream", "stdout", "a\nb\n"),
        ("stream", "stderr", "c\n"),
    ]
    assert (result.stdout, result.stderr) == ("a\nb\n", "c\n")
    assert result.outputs[2].output_type == "execute_result"
    assert result.outputs[2].data == {"text/plain": "{'x': 1}"}
    shown = session.run(
        "from IPython.display import display\n"
        "display({'text/html': '<b>', 'application/json': {'a': [1]}}, raw=True)"
    )
    assert [o.output_type for o in shown.display_data] == ["display_data"]
    assert shown.display_data[0].data == {"text/html": "<b>", "application/json": '{"a": [1]}'}
    failed = session.run("1 / 0")
    assert not failed.success
    assert failed.error is not None
    assert (failed.error.ename, failed.error.evalue) == ("ZeroDivisionError", "division by zero")
    assert failed.error.traceback


def test_the_document_comes_first(session: Session) -> None:
    cell_id = session.create_cell("x = 10")
    session.set_source(cell_id, "x = 20")
    session.append_source(cell_id, "\nx")
    assert session.get_cell(cell_id).source == "x = 20\nx"
    assert session.execute_cell(cell_id).display_data[0].data == {"text/plain": "20"}
    text = session.create_cell("# words", cell_type="markdown", index=0)
    assert [(c.id, c.cell_type) for c in session.get_cells()] == [
        (text, "markdown"),
        (cell_id, "code"),
    ]
    session.move_cell(text, 1)
    assert [c.id for c in session.get_cells()] == [cell_id, text]
    session.set_metadata("title", {"é": [1, None]})
    assert session.get_metadata("title") == {"é": [1, None]}
    assert session.get_metadata("none") is None
    session.clear_outputs(cell_id)
    retry_until(lambda: session.get_cell(cell_id).execution_count is None)
    session.delete_cell(cell_id)
    assert [c.id for c in session.get_cells()] == [text]


def test_errors_say_what_is_wrong(session: Session) -> None:
    assert RuntimedError is RoomError
    with pytest.raises(RuntimedError, match=r"^Cell not found: nonexistent-cell-id$"):
        session.execute_cell("nonexistent-cell-id")
    with pytest.raises(RoomError, match=r"^Cell not found: gone$"):
        session.get_cell("gone")
    for kind in ("markdown", "raw"):
        cell_id = session.create_cell("x", cell_type=kind)
        with pytest.raises(RoomError, match=rf"^Cannot execute non-code cell: {cell_id}$"):
            session.execute_cell(cell_id)
    with pytest.raises(RoomError, match="code, markdown, raw"):
        session.create_cell("x", cell_type="sql")
    with pytest.raises(RoomError, match=r"^not connected$"):
        Session("other").create_cell("x")
    with Session("other") as other, pytest.raises(RoomError, match="no-such-kernel"):
        other.start_kernel(kernel_type="no-such-kernel")


def test_a_run_that_takes_too_long_is_ended(session: Session) -> None:
    with pytest.raises(RoomError, match=r"timed out after 0\.3 s"):
        session.run("while True: pass", timeout_secs=0.3)
    assert session.run("'still here'").success


def test_interrupt_ends_what_runs_and_what_waits(session: Session) -> None:
    runs = [session.queue_cell(session.create_cell("import time; time.sleep(60)"))]
    runs.append(session.queue_cell(session.create_cell("print('never')")))
    retry_until(lambda: runs[0].status == "running")
    session.interrupt()
    first, second = (run.result() for run in runs)
    assert first.error is not None
    assert first.error.ename == "KeyboardInterrupt"
    assert not second.success
    assert second.error is not None
    assert second.error.ename == "Cancelled"
    assert session.run("1").success


def test_a_dead_kernel_is_told_and_the_cells_stay(session: Session) -> None:
    cell_id = session.create_cell("import os; os._exit(3)")
    with pytest.raises(RoomError, match="3"):
        session.execute_cell(cell_id)
    assert not session.kernel_started
    assert session.get_cell(cell_id).source == "import os; os._exit(3)"
    session.start_kernel()
    assert session.run("'again'").success


def test_restart_and_shut_down(session: Session) -> None:
    session.run("x = 1")
    session.restart_kernel()
    missing = session.run("x").error
    assert missing is not None
    assert missing.ename == "NameError"
    session.shutdown_kernel()
    assert not session.kernel_started
    session.shutdown_kernel()
    assert session.run("2").execution_count == 1


def test_run_all_stops_at_an_error(session: Session) -> None:
    for source in ("print('one')", "1 / 0", "print('three')"):
        session.create_cell(source)
    session.create_cell("# words", cell_type="markdown")
    one, two, three = session.run_all()
    assert (one.stdout, one.success) == ("one\n", True)
    assert two.error is not None
    assert two.error.ename == "ZeroDivisionError"
    assert not three.success
    assert three.stdout == ""


def test_a_handle_on_a_run(session: Session) -> None:
    code = "import time\nfor n in range(3): print(n, flush=True); time.sleep(0.05)"
    cell_id = session.create_cell(code)
    run = session.queue_cell(cell_id)
    assert run.cell_id == cell_id
    assert "".join(output.text or "" for output in run) == "0\n1\n2\n"
    assert run.status == "done"
    again = session.execution(run.execution_id)
    assert again.cell_id == cell_id
    assert again.result().stdout == run.result().stdout == "0\n1\n2\n"
    with pytest.raises(RoomError, match="no run of room:lab has the id 'no-such-run'"):
        session.execution("no-such-run")
    endless = session.queue_cell(session.create_cell("while True: pass"))
    retry_until(lambda: endless.status == "running")
    endless.cancel()
    assert not endless.result().success


def test_completion(session: Session) -> None:
    session.run("number_of_things = 1")
    # A kernel's first answer may come too late.
    retry_until(lambda: "number_of_things" in session.complete("number_of_th").matches, 20)
    found = session.complete("number_of_th")
    assert (found.start, found.end) == (0, 12)


def test_a_notebook_file_is_opened_and_saved(session: Session) -> None:
    session.run("print('é')")
    session.save_as("made.ipynb")
    with Session() as other:
        other.start_kernel(notebook_path="made.ipynb")
        [cell] = other.get_cells()
        assert (cell.source, cell.outputs[0].text) == ("print('é')", "é\n")
        other.create_cell("2")
        other.save()
    made = json.loads(Path("made.ipynb").read_text())
    assert ["".join(cell["source"]) for cell in made["cells"]] == ["print('é')", "2"]
    with Session() as lost, pytest.raises(RoomError, match="nowhere"):
        lost.start_kernel(notebook_path="nowhere.ipynb")


def test_a_notebook_file_is_opened_as_a_session(session: Session) -> None:
    session.run("print('é')")
    session.save_as("made.ipynb")
    with Session.open("made.ipynb", name="reader") as opened:
        assert (opened.notebook_id, opened.kernel_started) == ("made", False)
        assert opened.get_cells()[0].outputs[0].text == "é\n"
        opened.create_cell("print(6 * 7)")
        with Session.open("made.ipynb") as again:  # joined, not read anew
            retry_until(lambda: len(again.get_cells()) == 2)
        assert opened.run_all()[1].stdout == "42\n"
        opened.save()
    with Session.open("made.ipynb", "another") as other:
        assert [cell.source for cell in other.get_cells()] == ["print('é')", "print(6 * 7)"]
        other.save_as("copy.ipynb")
    with pytest.raises(RoomError, match="cells already"):
        Session.open("made.ipynb", "another")


def test_a_bad_notebook_file_is_named_with_its_line_and_left_alone() -> None:
    broken = '{"cells": [],\n "metadata": {},\n oh'
    Path("bad.ipynb").write_text(broken)
    with pytest.raises(RoomError, match=r"bad\.ipynb: line 3"):
        Session.open("bad.ipynb")
    assert Path("bad.ipynb").read_text() == broken
    assert DaemonClient().list_rooms() == []


def test_a_notebook_file_of_a_kernel_that_is_missing_can_be_read() -> None:
    of_julia = {"kernelspec": {"name": "julia-1.10", "language": "julia"}}
    cell = {"cell_type": "code", "source": "1", "outputs": [], "execution_count": None}
    cell |= {"id": "a", "metadata": {}}
    made = {"cells": [cell], "metadata": of_julia, "nbformat": 4, "nbformat_minor": 5}
    Path("made.ipynb").write_text(json.dumps(made))
    with Session.open("made.ipynb") as opened:
        assert [cell.source for cell in opened.get_cells()] == ["1"]
        with pytest.raises(RoomError, match="julia"):
            opened.start_kernel(env_source="")


def test_two_clients_share_cells_and_kernel(session: Session) -> None:
    cell_id = session.create_cell("x = 42")
    session.execute_cell(cell_id)
    with Session("lab", name="second") as other:
        other.connect()
        other.start_kernel()
        assert [cell.id for cell in other.get_cells()] == [cell_id]
        assert other.get_cell(cell_id).execution_count == 1
        added = other.create_cell("print(x)")
        assert other.execute_cell(added).stdout == "42\n"
        retry_until(lambda: any(c.id == added and c.outputs for c in session.get_cells()))
        retry_until(lambda: {peer.name for peer in session.peers()} == {"", "second"})
        other.announce("somebody", cell_id)
        retry_until(lambda: ("somebody", cell_id) in [(p.name, p.cell_id) for p in session.peers()])
        [row] = DaemonClient().list_rooms()
        assert (row["active_peers"], row["kernel_type"]) == (2, "python")
    assert session.kernel_started
    assert session.run("x").success


OTHER = """
import sys
from sandbox_tui.api.rooms import Session
with Session("lab") as session:
    session.start_kernel()
    [cell] = session.get_cells()
    session.append_source(cell.id, "\\nprint('é', x)")
    print(session.execute_cell(cell.id).stdout, end="")
    session.create_cell("# from the other process")
"""


def test_two_processes_share_cells_and_kernel(session: Session) -> None:
    session.run("x = 42")
    other = subprocess.run(
        [sys.executable, "-c", OTHER], capture_output=True, text=True, timeout=50, check=False
    )
    assert (other.stdout, other.stderr) == ("é 42\n", "")
    retry_until(lambda: len(session.get_cells()) == 2)
    first, second = session.get_cells()
    assert first.source == "x = 42\nprint('é', x)"
    assert second.source == "# from the other process"
    retry_until(lambda: session.get_cells()[0].execution_count == 2)
    assert session.kernel_started


NAMES = ("../../etc/passwd", "a/b c", "日本語 é", "x" * 200, ".", "a@b", "room:x", "%2e", "A", "a")


def test_any_name_is_safe(home: Path) -> None:
    for name in NAMES:
        with Session(name) as session:
            session.connect()
            session.create_cell(f"# {name}")
    assert {row["notebook_id"] for row in DaemonClient().list_rooms()} == set(NAMES)
    DaemonClient().shutdown()
    for name in NAMES:
        with Session(name) as session:
            session.connect()
            assert [cell.source for cell in session.get_cells()] == [f"# {name}"]
    left = [file.relative_to(home) for file in home.rglob("*") if file.is_file()]
    assert {file.parts[0] for file in left} <= {"app", "run"}
    assert not any("passwd" in file.name and "etc" in file.parts for file in left)


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "x" * 300])
def test_what_no_room_can_be_called(name: str) -> None:
    with pytest.raises(RoomError), Session(name) as session:
        session.connect()


@pytest.mark.parametrize("variable", ["SANDBOX_TUI_SOCKET", "RUNTIMED_SOCKET_PATH"])
def test_the_environment_names_the_socket(
    variable: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "run" / "own" / "d.sock"
    monkeypatch.setenv(variable, str(path))
    with Session("lab") as session:
        session.connect()
        assert path.is_socket()
    assert DaemonClient(path).ping()
    DaemonClient().shutdown()


def test_the_daemon_as_a_whole() -> None:
    client = DaemonClient()
    assert not client.ping()
    assert not client.is_running()
    with pytest.raises(RoomError, match="no daemon listens"):
        client.list_rooms()
    with Session("lab") as session:
        session.connect()
        assert client.ping()
        assert client.is_running()
        client.shutdown()
        assert not client.ping()
        retry_until(lambda: not session.is_connected)
        with pytest.raises(RoomError, match=r"^not connected"):
            session.get_cells()
        session.connect()
        assert session.is_connected


def test_kernels_stand_ready_until_the_daemon_stops(home: Path) -> None:
    client = DaemonClient()
    with Session("lab") as session:
        session.connect()
        retry_until(lambda: client.status()["uv_available"] == 2, timeout=20)
        assert client.status() == {
            "uv_available": 2,
            "uv_warming": 0,
            "conda_available": 0,
            "conda_warming": 0,
        }
        client.flush_pool()
        assert client.status()["uv_available"] == 0
        retry_until(lambda: client.status()["uv_available"] == 2, timeout=20)
    client.shutdown()
    assert processes(home) == {}
