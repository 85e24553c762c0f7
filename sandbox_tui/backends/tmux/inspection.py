"""Everything tmux knows about a session, for a person to read."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Reply

_SESSION = (
    "session_name",
    "session_id",
    "session_path",
    "session_created",
    "session_activity",
    "session_attached",
    "session_windows",
    "session_group",
    "session_alerts",
    "version",
    "pid",
    "socket_path",
)
_PANE = (
    "window_index",
    "window_name",
    "pane_index",
    "pane_id",
    "pane_active",
    "pane_title",
    "pane_pid",
    "pane_tty",
    "pane_width",
    "pane_height",
    "pane_current_command",
    "pane_current_path",
    "pane_start_command",
    "pane_start_path",
    "pane_dead",
    "pane_dead_status",
    "pane_dead_signal",
    "history_size",
    "history_limit",
    "history_bytes",
)


async def inspect(server: Server, session: str) -> dict[str, object]:
    """The session, and under `panes` each pane of it; empty for a session that is gone."""
    mark = os.urandom(8).hex()
    replies = await server.ask(
        ("display-message", "-p", "-t", f"{session}:", _shape(_SESSION, mark)),
        ("list-panes", "-s", "-t", session, "-F", _shape(_PANE, mark)),
    )
    if not replies or not all(reply.ok for reply in replies):
        return {}
    (about,) = _records(replies[0], _SESSION, mark)
    return {**about, "panes": _records(replies[1], _PANE, mark)}


def _shape(names: Sequence[str], mark: str) -> str:
    """A record whose parts no value can forge."""
    return mark + mark.join(f"#{{{name}}}" for name in names)


def _records(reply: Reply, names: Sequence[str], mark: str) -> list[dict[str, object]]:
    """The records of a reply; each ends with a newline, the last one lost its own."""
    values = reply.text.split(mark)[1:]
    rows = [values[start : start + len(names)] for start in range(0, len(values), len(names))]
    return [_record(names, [*row[:-1], row[-1].removesuffix("\n")]) for row in rows]


def _record(names: Sequence[str], values: Sequence[str]) -> dict[str, object]:
    """What is known, by name; numbers as numbers."""
    told = zip(names, values, strict=True)
    return {name: int(text) if text.isdecimal() else text for name, text in told if text}
