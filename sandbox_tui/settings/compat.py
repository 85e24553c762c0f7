"""`kstlib.conf.yml`, read where a user already has it, as if it were in this program's own words.

Its `ops:` section becomes `sandboxes:` and `backends:`, each value with the file and line where it
was written; the rest of that file is none of ours. What a project's file may not choose, which
program is executed, is left out and told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.settings.sources import Tree, read

FILE = "kstlib.conf.yml"

_RENAMED = {"socket_name": "socket"}
_USUAL = ("tmux", "docker", "podman")
"""Programs that are what would be run anyway."""


class Foreign(NamedTuple):
    """What such files say, nearest first, and what of it was left out."""

    trees: tuple[Tree, ...] = ()
    refused: tuple[ConfigError, ...] = ()


def project(cwd: Path | None = None) -> Foreign:
    """The file in this very folder. Raises `ConfigError` for what is no YAML."""
    return _read(Path(cwd or Path.cwd()) / FILE, trusted=False)


def user() -> Foreign:
    """The user's own files. Raises `ConfigError`."""
    found = [_read(file, trusted=True) for file in user_files()]
    return Foreign(
        tuple(tree for one in found for tree in one.trees),
        tuple(error for one in found for error in one.refused),
    )


def user_files() -> tuple[Path, ...]:
    """Where a user may have one, nearest first."""
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    config = named if named.is_absolute() else Path.home() / ".config"
    return (config / FILE, Path.home() / FILE)


def _read(file: Path, *, trusted: bool) -> Foreign:
    tree = read(file.absolute())
    ops = tree.get("ops") if tree is not None else None
    if ops is None or ops.value is None:
        return Foreign()
    if faults := tuple(_misshapen(ops)):
        return Foreign((), faults)
    said = {"sandboxes": Tree(dict(_sandboxes(ops, trusted=trusted)), ops.source)}
    if trusted:
        said["backends"] = _backends(ops)
        return Foreign((Tree(said, ops.source),))
    return Foreign((Tree(said, ops.source),), tuple(_refused(ops)))


def _misshapen(ops: Tree) -> Iterator[ConfigError]:
    """What must have keys and has none: nothing can be read from it."""
    for path, tree in (("ops", ops), ("ops.sessions", ops.get("sessions"))):
        if tree is not None and not isinstance(tree.value, dict | None):
            yield tree.wrong(f"{path} is left out: it must be a mapping of keys")


def _sandboxes(ops: Tree, *, trusted: bool) -> Iterator[tuple[str, Tree]]:
    """The sessions as entries of our own. A project's choice of engine is one of its entries."""
    sessions = ops.get("sessions")
    entries = sessions.value if sessions is not None else None
    runtime = None if trusted else _engine(ops)
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        yield name, _entry(entry, ops.get("default_backend"), runtime)


def _entry(tree: Tree, backend: Tree | None, runtime: Tree | None) -> Tree:
    if not isinstance(tree.value, dict):
        return tree
    said = {_RENAMED.get(key, key): value for key, value in tree.value.items()}
    if backend is not None and not _is_said(said, "backend") and not _is_said(said, "image"):
        said["backend"] = backend
    is_container = _is_said(said, "image") or _value(said, "backend") == "container"
    if runtime is not None and is_container and not _is_said(said, "runtime"):
        said["runtime"] = runtime
    return Tree(said, tree.source)


def _backends(ops: Tree) -> Tree:
    tmux, engine = ops.get("tmux_binary"), _engine(ops)
    said: dict[str, Tree] = {}
    if tmux is not None and tmux.value is not None:
        said["tmux"] = Tree({"binary": tmux}, tmux.source)
    if engine is not None:
        said["container"] = Tree({"runtime": engine}, engine.source)
    return Tree(said, ops.source)


def _engine(ops: Tree) -> Tree | None:
    """Which engine was named; an engine is named here, never a program."""
    tree = ops.get("container_runtime")
    return tree if tree is not None and tree.value in ("docker", "podman") else None


def _refused(ops: Tree) -> Iterator[ConfigError]:
    for key in ("tmux_binary", "container_runtime"):
        tree = ops.get(key)
        if tree is not None and tree.value is not None and tree.value not in _USUAL:
            reason = f"ops.{key} is left out: a file that came with a folder chooses no program"
            yield tree.wrong(reason, hint=f"Move it to {user_files()[0]}.")


def _is_said(entry: dict[str, Tree], key: str) -> bool:
    return _value(entry, key) is not None


def _value(entry: dict[str, Tree], key: str) -> object:
    tree = entry.get(key)
    return tree.value if tree is not None else None
