"""What tmux is asked about its sessions, and sandboxes out of what it says.

Names and titles cannot hold a control character, but folders and programs can hold anything, a
tab, a newline or a whole forged line. So a record is cut at a mark that was drawn at random when
this program started; only the parts that tmux keeps clean are cut at tabs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import msgspec

from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.model.world import Sandbox, State, TmuxFacts

MARKER = "@sandbox-tui"
"""The option of the user's namespace that sessions started from here carry."""

_MARK = os.urandom(8).hex()

_CLEAN = (
    "session_id",
    "session_created",
    "session_windows",
    "window_active",
    "pane_active",
    "pane_id",
    "pane_pid",
    "pane_dead",
    "pane_dead_status",
    "pane_dead_signal",
    "pid",
    "session_name",
    "pane_title",
    MARKER,
)

PANES = (
    _MARK.join(("", "\t".join(f"#{{{name}}}" for name in _CLEAN), "#{pane_current_command}", ""))
    + "#{pane_current_path}"
)
"""One record per pane, as `parse_panes` reads it."""

CLIENTS = "#{?#{m:*no-output*,#{client_flags}},,#{session_id}}"
"""The session of every client that looks at it; this program and its like look at none."""

LISTING = (("list-panes", "-a", "-F", PANES), ("list-clients", "-F", CLIENTS))


def listing_of(name: str) -> tuple[tuple[str, ...], ...]:
    """The same questions about the session of exactly that name."""
    panes = ("list-panes", "-s", "-t", f"={name}:", "-F", PANES)
    return (panes, ("list-clients", "-t", f"={name}", "-F", CLIENTS))


class Pane(NamedTuple):
    """One pane of one session; a window that is linked into two sessions is there twice."""

    session_id: str
    session_created: str
    session_windows: str
    window_active: str
    pane_active: str
    pane_id: str
    pane_pid: str
    pane_dead: str
    pane_dead_status: str
    pane_dead_signal: str
    server_pid: str
    session_name: str
    title: str
    marker: str
    command: str
    path: str

    @property
    def is_shown(self) -> bool:
        """Whether it is the active pane of its session's active window."""
        return self.window_active == "1" and self.pane_active == "1"

    @property
    def is_closed(self) -> bool:
        """Whether its terminal is closed: nobody writes there any more."""
        return self.pane_dead == "1"

    @property
    def is_dead(self) -> bool:
        """Whether its process ended and tmux knows how."""
        return self.is_closed and (self.pane_dead_status + self.pane_dead_signal) != ""

    @property
    def is_in_limbo(self) -> bool:
        """Whether it is closed and tmux does not know yet how its process ended."""
        return self.is_closed and not self.is_dead

    @property
    def pid(self) -> int | None:
        """Its process, while that runs."""
        return None if self.is_dead else int(self.pane_pid)


class Marker(msgspec.Struct, frozen=True):
    """What a session started from here carries about its beginning."""

    command: Command | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    spec: str = ""
    """Fingerprint of what it was made from."""


def parse_panes(body: bytes) -> list[Pane]:
    """The panes in tmux's order. Raises `ValueError` or `TypeError` for what is no listing."""
    parts = body.decode("utf-8", "replace").split(_MARK)
    return [
        Pane._make((*clean.split("\t", len(_CLEAN) - 1), command, path.removesuffix("\n")))
        for clean, command, path in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    ]


def sandboxes(panes: Iterable[Pane], viewers: Mapping[str, int], place: Place) -> list[Sandbox]:
    """One sandbox per session; `viewers` says how many clients look at each session id."""
    return [
        _sandbox(list(group), viewers.get(session_id, 0), place)
        for session_id, group in groupby(panes, key=lambda pane: pane.session_id)
    ]


def _sandbox(panes: list[Pane], attached: int, place: Place) -> Sandbox:
    shown = next((pane for pane in panes if pane.is_shown), panes[0])
    ended = all(pane.is_dead for pane in panes)
    marker = read_marker(shown.marker)
    return Sandbox(
        ref=Ref.make(place.kind, shown.session_name, place.where),
        state=State.EXITED if ended else State.RUNNING,
        facts=_facts(shown, attached),
        title=_title(shown),
        created_at=float(shown.session_created),
        pid=shown.pid,
        labels=marker.labels if marker else {},
        managed=marker is not None,
        made_from=marker.spec if marker else "",
        detail=f"signal {shown.pane_dead_signal}" if ended and shown.pane_dead_signal else "",
    )


def _facts(pane: Pane, attached: int) -> TmuxFacts:
    return TmuxFacts(
        session_id=pane.session_id,
        pane_id=pane.pane_id,
        windows=int(pane.session_windows),
        attached=attached,
        command=pane.command,
        path=pane.path,
        exit_code=_number(pane.pane_dead_status) if pane.is_dead else None,
        dead_signal=_number(pane.pane_dead_signal) if pane.is_dead else None,
    )


def _title(pane: Pane) -> str:
    """What the program calls itself; tmux's own default, the host's name, says nothing."""
    return pane.title if pane.title not in _host_names() else pane.command


@lru_cache(1)
def _host_names() -> frozenset[str]:
    name = socket.gethostname()
    return frozenset({"", name, name.partition(".")[0]})


@lru_cache(1024)
def read_marker(text: str) -> Marker | None:
    """What a session carries; nothing when it was not started from here."""
    try:
        return msgspec.json.decode(text, type=Marker) if text else None
    except msgspec.DecodeError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text else None
