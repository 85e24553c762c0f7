"""What must be known of a container before its files are touched.

Docker's archives show the files as they lie on the disk: what is mounted inside while it runs
(`/proc`, a tmpfs) they do not show, and what is written there through them is never seen again.
Podman's enter the container, and see what it sees, but of what the kernel makes up only names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.containers.engine.replies import Box

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

PSEUDO = ("/proc", "/sys", "/dev")
"""What the kernel makes up, in every container."""

_SIGNS = re.compile(r"[\\?\[\]]")
_STAR = "[^\x01-)+-\U0010ffff]"
"""A star in a pattern that may have none: everything but what is not a star."""


class _Config(msgspec.Struct, frozen=True, rename="pascal"):
    user: str = ""
    working_dir: str = ""
    labels: dict[str, str] | None = None


class _Limits(msgspec.Struct, frozen=True, rename="pascal"):
    tmpfs: dict[str, str] | None = None


class _Mount(msgspec.Struct, frozen=True, rename="pascal"):
    type: str = ""
    destination: str = ""


class _State(msgspec.Struct, frozen=True, rename="pascal"):
    running: bool = False
    paused: bool = False


class _Inspected(msgspec.Struct, frozen=True, rename="pascal"):
    config: _Config
    state: _State
    host_config: _Limits = _Limits()
    mounts: list[_Mount] | None = None


class Inside(NamedTuple):
    """One container from the inside."""

    box: Box
    user: str
    """As its configuration says it: `USER[:GROUP]`, names or numbers, or nothing."""
    folder: str
    """Where its commands start."""
    is_up: bool
    """Whether commands can run in it."""
    memory: tuple[str, ...]
    """Where memory is mounted that only those inside can see."""
    labels: Mapping[str, str]

    def absolute(self, path: str) -> str:
        """A path from the root; a relative one starts where commands start."""
        return posixpath.join(self.folder, path)

    def hides(self, path: str) -> bool:
        """Whether an archive does not show what is there."""
        return is_under(path, self.memory)


def as_asked(engine: Engine, path: str) -> Mapping[str, str]:
    """The parameter that asks for the archive of a path: podman takes it for a pattern."""
    if engine.version.runtime == "podman":
        path = _SIGNS.sub(r"\\\g<0>", path).replace("*", _STAR)
    return {"path": path}


def look_inside(engine: Engine, box: Box) -> Inside:
    """Ask the engine."""
    raw = engine.get(f"/containers/{box.id}/json", ref=box.ref, verb="inspect")
    with engine.talking():
        told = msgspec.json.decode(raw, type=_Inspected)
    is_up = told.state.running and not told.state.paused
    memory = PSEUDO if told.state.running else ()
    if memory and engine.version.runtime == "docker":
        mounted = (mount.destination for mount in told.mounts or () if mount.type == "tmpfs")
        memory = (*PSEUDO, *(told.host_config.tmpfs or ()), *mounted)
    return Inside(
        box=box,
        user=told.config.user,
        folder=told.config.working_dir or "/",
        is_up=is_up,
        memory=memory,
        labels=told.config.labels or {},
    )


def is_under(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a path is one of these, or lies in one of them."""
    clean = posixpath.normpath(path)
    return any(clean == folder or clean.startswith(f"{folder}/") for folder in folders)
