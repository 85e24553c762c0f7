"""Both faces of rooms have the same names, and everything that the seed's page names."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from sandbox_tui.api import rooms
from sandbox_tui.runtime.portal import Blocking

PAIRS = [
    (rooms.AsyncSession, rooms.Session),
    (rooms.AsyncExecution, rooms.Execution),
    (rooms.AsyncDaemonClient, rooms.DaemonClient),
]
STATE = {"is_connected", "kernel_started", "env_source"}


def names(face: type[object]) -> set[str]:
    return {name for name in dir(face) if not name.startswith("_")} - set(dir(Blocking))


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda face: face.__name__)
def test_the_two_faces_have_the_same_names(one: type[object], other: type[object]) -> None:
    assert names(one) - {"ended"} == names(other) - {"cell_id"}  # a field on the other


@pytest.mark.parametrize("name", sorted(names(rooms.AsyncSession)))
def test_a_method_takes_the_same_on_both_faces(name: str) -> None:
    ours: Any = getattr(rooms.AsyncSession, name)
    theirs: Any = getattr(rooms.Session, name)
    if name in STATE:
        assert inspect.iscoroutinefunction(ours)
        assert isinstance(theirs, property)
    elif not isinstance(ours, property):
        assert (
            inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys()
        )


def test_the_seeds_names_are_there() -> None:
    methods = (
        "connect start_kernel interrupt shutdown_kernel create_cell execute_cell queue_cell"
        " get_cell get_cells set_source delete_cell notebook_id is_connected kernel_started"
        " env_source"
    )
    assert set(methods.split()) <= names(rooms.Session)
    assert {"ping", "is_running", "list_rooms", "shutdown"} <= names(rooms.DaemonClient)
    signature = inspect.signature(rooms.Session.start_kernel)
    defaults = {name: p.default for name, p in signature.parameters.items() if name != "self"}
    assert defaults == {
        "kernel_type": "python",
        "env_source": "uv:prewarmed",
        "notebook_path": None,
    }
    assert inspect.signature(rooms.Session.execute_cell).parameters["timeout_secs"].default == 60.0


def test_constructing_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_TUI_SOCKET", "/nonexistent/socket")
    session = rooms.Session()
    assert session.notebook_id.startswith("agent-session-")
    assert not session.is_connected
    assert session.env_source is None
