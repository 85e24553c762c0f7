"""What runs in a container, as `ps` tells it, without what runs there for this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.containers.commands.scripts import is_own
from sandbox_tui.backends.containers.engine.replies import Box

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine


_COLUMNS = "pid,ppid,user,time,args"
"""What both engines' `ps` know; Podman has one of its own, so that none runs inside."""


class _Top(msgspec.Struct, rename="pascal"):
    titles: list[str] = []
    processes: list[list[str]] | None = None


def processes(engine: Engine, box: Box) -> tuple[Mapping[str, str], ...]:
    """Each process by the columns of `ps`. Raises `NotRunningError`."""
    columns = {"ps_args": _COLUMNS if engine.version.runtime == "podman" else f"-eo {_COLUMNS}"}
    path = f"/containers/{box.id}/top"
    raw = engine.get(path, columns, ref=box.ref, verb="list the processes of")
    with engine.talking():
        top = msgspec.json.decode(raw, type=_Top)
    rows = (row for row in top.processes or () if not is_own(row[-1]))
    return tuple(dict(zip(top.titles, row, strict=False)) for row in rows)
