"""Whose files are in a container: its configured user, as numbers, and where that user is at home.

Engines would look a name up among the users of the host. Here it is looked up where it is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox_tui.backends.containers.files.archive_in import Tape, entries
from sandbox_tui.backends.containers.files.archive_out import Owner
from sandbox_tui.backends.containers.files.insides import Inside, as_asked
from sandbox_tui.model.errors import FileError, NotFoundError

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_LONGEST = 4 * 1024 * 1024


class Account(NamedTuple):
    """One line of `/etc/passwd`."""

    name: str
    uid: int
    gid: int
    home: str


def owner_of(engine: Engine, inside: Inside) -> Owner:
    """The user's numbers. Raises `FileError` for a name that nobody there has."""
    user, _, group = inside.user.partition(":")
    if user in ("", "0") and group in ("", "0"):
        return Owner()
    if user.isdecimal() and group.isdecimal():
        return Owner(int(user), int(group))
    account = _account(engine, inside, user)
    return Owner(account.uid, _group(engine, inside, group) if group else account.gid)


def home_of(engine: Engine, inside: Inside) -> str:
    """The user's home; the root where nobody says which."""
    return _account(engine, inside, inside.user.partition(":")[0] or "0").home


def _account(engine: Engine, inside: Inside, user: str) -> Account:
    for fields in _table(engine, inside, "/etc/passwd", 7):
        if user in (fields[0], fields[2]):
            gid = int(fields[3]) if fields[3].isdecimal() else 0
            return Account(fields[0], int(fields[2]), gid, fields[5] or "/")
    if user.isdecimal():
        return Account("", int(user), 0, "/")
    raise FileError("/etc/passwd", f"it has no user {user!r}")


def _group(engine: Engine, inside: Inside, group: str) -> int:
    if group.isdecimal():
        return int(group)
    for fields in _table(engine, inside, "/etc/group", 3):
        if fields[0] == group:
            return int(fields[2])
    raise FileError("/etc/group", f"it has no group {group!r}")


def _table(engine: Engine, inside: Inside, path: str, width: int) -> list[list[str]]:
    """The lines of such a file that can be used; none when there is no such file."""
    text = _small_file(engine, inside, path).decode("utf-8", "replace")
    rows = (line.split(":") for line in text.splitlines())
    return [row for row in rows if len(row) >= width and row[2].isdecimal()]


def _small_file(engine: Engine, inside: Inside, path: str) -> bytes:
    ref, address = inside.box.ref, f"/containers/{inside.box.id}/archive"
    try:
        raw = engine.get(address, as_asked(engine, path), ref, "look into")
    except NotFoundError:
        return b""
    pieces = iter([raw])
    tape = Tape(lambda: next(pieces, b""))
    with engine.talking():
        for _, entry in entries(tape):
            return tape.read(min(entry.size, _LONGEST)) if entry.isreg() else b""
    return b""
