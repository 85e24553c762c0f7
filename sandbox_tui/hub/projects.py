"""A folder that containers belong to, and what is kept there of each that persists.

    ROOT/.pocketdock/pocketdock.yaml            the project
    ROOT/.pocketdock/instances/NAME/instance.toml   a container that persists
    ROOT/.pocketdock/instances/NAME/logs/           what was run in it

Paths are made from the root and a checked name, never from what a label or an image says. Every
function here reads or writes files, and so belongs into a thread.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from sandbox_tui.hub.logbook import Logbook
from sandbox_tui.hub.terms import container_id, terms_of
from sandbox_tui.model.errors import ConfigError, FileError, InvalidSpecError
from sandbox_tui.model.world import Sandbox

FOLDER = ".pocketdock"
FILE = "pocketdock.yaml"

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
"""What a container may be called: never `..`, never with a slash."""


class Logging(msgspec.Struct, frozen=True):
    """What is kept of the commands that ran."""

    auto_log: bool = True
    max_logs_per_instance: int = 100


class Project(msgspec.Struct, frozen=True):
    """What a project's file says, as far as it is used here."""

    project_name: str = ""
    default_profile: str = ""
    default_persist: bool = False
    logging: Logging = msgspec.field(default_factory=Logging)


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one container."""

    id: str
    name: str
    image: str = ""
    project: str = ""
    created_at: str = ""
    persist: bool = True


class CrossCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The folders of a project beside the containers of the engine."""

    orphaned_containers: tuple[str, ...] = ()
    """Containers of the project that persist and have no folder."""
    stale_instance_dirs: tuple[str, ...] = ()
    """Folders whose container is gone."""
    healthy: int = 0
    """How many have both."""


def find_root(start: Path | None = None) -> Path | None:
    """The nearest folder with a project's file, from `start` (or here) upward."""
    begin = (start or Path.cwd()).absolute()
    return next((at for at in (begin, *begin.parents) if (at / FOLDER / FILE).is_file()), None)


def init(path: Path | None = None, name: str | None = None) -> Path:
    """Make `path` (or this folder) a project, unless it is one; its root."""
    root = (path or Path.cwd()).absolute()
    file = root / FOLDER / FILE
    (root / FOLDER / "instances").mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(_TEMPLATE.format(name=json.dumps(name or root.name)), encoding="utf-8")
    return root


def read(root: Path) -> Project:
    """What the project's file says. Raises `ConfigError`."""
    file = root / FOLDER / FILE
    try:
        project = msgspec.yaml.decode(file.read_bytes(), type=Project)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(str(file), str(error)) from error
    return msgspec.structs.replace(project, project_name=project.project_name or root.name)


class Instances:
    """The folders of one project's containers."""

    def __init__(self, root: Path) -> None:
        self._root = root / FOLDER / "instances"

    def folder(self, name: str) -> Path:
        """Where that container's things are. Raises `InvalidSpecError` for no name of one."""
        if not _NAME.fullmatch(name):
            raise InvalidSpecError("name", f"{name!r} is no name of a container")
        return self._root / name

    def write(self, instance: Instance) -> Path:
        """Keep it; its folder."""
        folder = self.folder(instance.name)
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        part = folder / "instance.toml.part"
        part.write_text(_toml(instance), encoding="utf-8")
        part.replace(folder / "instance.toml")
        return folder

    def read(self, name: str) -> Instance | None:
        """What is kept of it; `None` when nothing is, or nothing that can be read."""
        try:
            text = (self.folder(name) / "instance.toml").read_text(encoding="utf-8")
            return msgspec.convert(tomllib.loads(text).get("container"), Instance)
        except (OSError, ValueError, InvalidSpecError):
            return None

    def names(self) -> list[str]:
        """Everything that has a folder."""
        try:
            return sorted(entry.name for entry in os.scandir(self._root) if entry.is_dir())
        except FileNotFoundError:
            return []

    def remove(self, name: str, container_id: str) -> bool:
        """Delete the folder of that very container; one that is not its own stays.

        Raises `FileError`.
        """
        kept, folder = self.read(name), self.folder(name)
        if not container_id or kept is None or kept.id != container_id or folder.is_symlink():
            return False
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise FileError(error.filename or str(folder), error.strerror or str(error)) from error
        return True


def renew(folder: Path, container_id: str) -> None:
    """What `folder` is kept for is another container of the same name now."""
    instances = Instances(folder.parents[2])
    if (kept := instances.read(folder.name)) is not None:
        instances.write(msgspec.structs.replace(kept, id=container_id))


def logbook(folder: Path) -> Logbook | None:
    """For the runs of the container of `folder`; `None` when its project wants none kept.

    Raises `ConfigError`.
    """
    wanted = read(folder.parents[2]).logging
    return Logbook(folder / "logs", wanted.max_logs_per_instance) if wanted.auto_log else None


def forget(box: Sandbox) -> None:
    """Delete what the project here keeps of that very container. Raises `FileError`."""
    root = find_root() if box.managed else None
    if root is not None:
        Instances(root).remove(box.ref.name, container_id(box))


def cross_check(root: Path, boxes: Iterable[Sandbox]) -> CrossCheck:
    """Hold the folders of the project at `root` against the containers that there are."""
    name, instances = read(root).project_name, Instances(root)
    there = {container_id(box): box for box in boxes if box.managed}
    kept = {each: _kept_id(instances, each) for each in instances.names()}
    mine = [box for box in there.values() if _is_of(box, name)]
    orphaned = [box.ref.name for box in mine if container_id(box) not in kept.values()]
    return CrossCheck(
        orphaned_containers=tuple(sorted(orphaned)),
        stale_instance_dirs=tuple(each for each, key in kept.items() if key not in there),
        healthy=sum(key in there for key in kept.values()),
    )


def _is_of(box: Sandbox, project: str) -> bool:
    terms = terms_of(box)
    return terms.persist and terms.project == project


def _kept_id(instances: Instances, name: str) -> str:
    found = instances.read(name)
    return found.id if found else ""


def _toml(instance: Instance) -> str:
    """A table of plain values; JSON's strings and booleans are TOML's."""
    values = msgspec.structs.asdict(instance).items()
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values]
    return "\n".join(["# Kept by sandbox-tui.", "", "[container]", *lines, ""])


_TEMPLATE = """\
# A project of sandbox-tui: containers made below this folder belong to it.
project_name: {name}
default_profile: minimal-python
default_persist: false

logging:
  auto_log: true
  max_logs_per_instance: 100
"""
