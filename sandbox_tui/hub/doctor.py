"""What works here and what does not, each with the one thing that mends it."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sandbox_tui.hub.projects import FOLDER, cross_check
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.settings import paths
from sandbox_tui.settings.load import load


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str = ""
    fix: str = ""
    """What to do, when it is not ok."""


def backend_checks(health: Sequence[Health]) -> Iterator[Check]:
    """Whether each backend answers, and does what it should."""
    for entry in health:
        yield Check(name=entry.place, ok=entry.is_sound, detail=entry.detail, fix=_unless(entry))


def configuration_checks(cwd: Path | None = None) -> Iterator[Check]:
    """Every configuration file that counts for `cwd`, and each entry that cannot be used."""
    try:
        loaded = load(cwd)
    except ConfigError as error:
        yield Check(name="configuration", ok=False, detail=error.message, fix=error.hint)
        return
    for problem in loaded.problems:
        yield Check(name="configuration", ok=False, detail=problem.message, fix=problem.hint)
    read = ", ".join(map(str, loaded.files)) or f"none; yours would be {paths.user_file()}"
    yield Check(name="configuration", ok=True, detail=read)


def project_checks(root: Path | None, boxes: Sequence[Sandbox]) -> Iterator[Check]:
    """Whether the folders of the project at `root` and the containers belong to each other."""
    if root is None:
        return
    try:
        found = cross_check(root, boxes)
    except ConfigError as error:
        yield Check(name="project", ok=False, detail=error.message, fix=error.hint)
        return
    for name in found.orphaned_containers:
        detail, fix = f"{name} has no folder in {root}", f"sandbox-tui rm {name} --force --yes"
        yield Check(name="project", ok=False, detail=detail, fix=fix)
    for name in found.stale_instance_dirs:
        folder = root / FOLDER / "instances" / name
        detail, fix = f"{name} is gone, its folder is not", f"rm -r {shlex.quote(str(folder))}"
        yield Check(name="project", ok=False, detail=detail, fix=fix)
    if not (found.orphaned_containers or found.stale_instance_dirs):
        yield Check(name="project", ok=True, detail=f"{root} · {found.healthy} containers")


def folder_check(name: str, folder: Path, *, private: bool) -> Check:
    """Whether files can be kept there; `private` also wants nobody else to look in."""
    place = _nearest(folder)
    if not place.is_dir():
        fix = f"Name another folder, or take {place} away."
        return Check(name=name, ok=False, detail=f"{place} is not a folder", fix=fix)
    if not os.access(place, os.W_OK | os.X_OK):
        fix = f"sudo chown {os.getuid()} {place}"
        return Check(name=name, ok=False, detail=f"{place} cannot be written to", fix=fix)
    if private and place == folder and (problem := _exposure(folder)):
        return Check(name=name, ok=False, detail=problem, fix=f"chmod 700 {folder}")
    return Check(name=name, ok=True, detail=str(folder))


def socket_check(name: str, socket: Path) -> Check:
    """Whether a socket is this user's alone; one that is not there yet is fine."""
    if not socket.exists():
        return Check(name=name, ok=True, detail=f"{socket} (made when it is needed)")
    if problem := _exposure(socket):
        return Check(name=name, ok=False, detail=problem, fix=f"chmod 600 {socket}")
    return Check(name=name, ok=True, detail=str(socket))


def terminal_check(term: str, *, encoding: str) -> Check:
    """Whether the terminal can show the dashboard."""
    if encoding.lower().replace("-", "") != "utf8":
        detail = f"it is told {encoding}: lines and symbols would be broken"
        return Check(name="terminal", ok=False, detail=detail, fix="export LC_ALL=C.UTF-8")
    if term in ("", "dumb", "unknown"):
        detail = f"TERM is {term or 'not set'}"
        return Check(name="terminal", ok=False, detail=detail, fix="export TERM=xterm-256color")
    return Check(name="terminal", ok=True, detail=f"{term}, {encoding}")


def _unless(entry: Health) -> str:
    return "" if entry.is_sound else entry.hint


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _exposure(path: Path) -> str:
    """Who else may get at it; empty when nobody may."""
    found = path.stat()
    if found.st_uid != os.getuid():
        return f"{path} belongs to user {found.st_uid}"
    mode = stat.S_IMODE(found.st_mode)
    return f"{path} is open to others (mode {mode:04o})" if mode & 0o077 else ""
