"""A mount as people write it: `HOST:CONTAINER[:MODE]`."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandbox_tui.model.errors import InvalidSpecError

LONGEST = 4096
"""Characters in one mount."""

_MOUNT = re.compile(
    r"(?P<host>[^:\x00-\x1f\x7f]+):(?P<inside>/[^:\x00-\x1f\x7f]*)(?::(?P<mode>.+))?"
)
_MODES = frozenset({"ro", "rw", "z", "Z", "nocopy", "shared", "rshared", "slave", "rslave",
                    "private", "rprivate", "cached", "delegated", "consistent"})  # fmt: skip


class Mount(NamedTuple):
    """One mount, taken apart."""

    host: str
    inside: str
    mode: str = ""

    @property
    def is_path(self) -> bool:
        """Whether the host's part is a path and not the name of a volume, as in compose files."""
        return self.host.startswith((".", "~")) or "/" in self.host


def parse_mount(text: str) -> Mount:
    """Take a mount apart. Raises `InvalidSpecError`."""
    found = _MOUNT.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise InvalidSpecError("volumes", f"{text[:80]!r} is not HOST:/CONTAINER[:ro|rw|z|Z]")
    mode = found["mode"] or ""
    if mode and not _MODES.issuperset(mode.split(",")):
        raise InvalidSpecError("volumes", f"{text!r} has the unknown mode {mode!r}")
    return Mount(found["host"], found["inside"], mode)
