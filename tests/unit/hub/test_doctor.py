"""What the doctor finds, and the one thing that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox_tui.hub import doctor
from sandbox_tui.model.world import Health
from sandbox_tui.settings import paths


def write_user(text: str) -> None:
    file = paths.user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_backends_keep_their_own_words() -> None:
    well = Health(place="tmux", ok=True, detail="3.4", hint="unused")
    ill = Health(place="container", ok=False, detail="refused", hint="Start it.")
    assert [(c.name, c.ok, c.detail, c.fix) for c in doctor.backend_checks([well, ill])] == [
        ("tmux", True, "3.4", ""),
        ("container", False, "refused", "Start it."),
    ]


def test_configuration(home: Path) -> None:
    [none] = doctor.configuration_checks(home)
    assert none.ok
    assert str(paths.user_file()) in none.detail
    write_user("sandboxes: {a: {}, b: {comand: x}}")
    problem, read = doctor.configuration_checks(home)
    assert (problem.ok, read.ok) == (False, True)
    assert problem.fix == "Did you mean sandboxes.b.command?"
    write_user("a: [")
    [broken] = doctor.configuration_checks(home)
    assert not broken.ok


def test_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "kept"
    assert doctor.folder_check("state", folder / "later", private=True).ok
    folder.mkdir(mode=0o755)
    assert doctor.folder_check("state", folder, private=False).ok
    open_to_all = doctor.folder_check("runtime", folder, private=True)
    assert (open_to_all.ok, open_to_all.fix) == (False, f"chmod 700 {folder}")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be written" in doctor.folder_check("state", folder, private=False).detail


def test_sockets(home: Path) -> None:
    socket = home / "daemon.sock"
    assert doctor.socket_check("daemon", socket).ok
    socket.touch(mode=0o600)
    assert doctor.socket_check("daemon", socket).ok
    socket.chmod(0o666)
    exposed = doctor.socket_check("daemon", socket)
    assert (exposed.ok, exposed.fix) == (False, f"chmod 600 {socket}")
    assert "0666" in exposed.detail


@pytest.mark.parametrize(
    ("term", "encoding", "ok"),
    [
        ("xterm-256color", "utf-8", True),
        ("dumb", "utf-8", False),
        ("", "UTF-8", False),
        ("xterm", "ascii", False),
    ],
)
def test_terminals(term: str, encoding: str, ok: bool) -> None:
    check = doctor.terminal_check(term, encoding=encoding)
    assert check.ok is ok
    assert bool(check.fix) is not ok
