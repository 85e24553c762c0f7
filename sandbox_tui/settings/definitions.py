"""From an entry under `sandboxes:` to the Spec it describes.

Paths and ports are written for people: relative to the file, short where that is clear. A Spec is
for backends: absolute and in full.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from sandbox_tui.model.errors import InvalidNameError, InvalidSpecError
from sandbox_tui.model.limits import check
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.specs import Spec
from sandbox_tui.settings.building import build
from sandbox_tui.settings.schema import ContainerFields, Entry
from sandbox_tui.settings.sources import Tree, dotted

Fields = TypeVar("Fields", bound=ContainerFields)


def define(name: str, tree: Tree) -> tuple[Entry, Spec]:
    """The entry as written and the sandbox it describes. Raises `ConfigError`."""
    path = dotted("sandboxes", name)
    entry = build(Entry, tree, path)
    for field in entry.foreign_fields():
        where = tree.get(field) or tree
        raise where.wrong(f"{path}.{field}: a {entry.kind} has none", hint="Take it out.")
    if entry.kind is Kind.CONTAINER and not (entry.image or entry.profile):
        raise tree.wrong(f"{path}: a container needs an image", hint="Add image: NAME.")
    try:
        spec = _in_full(entry, tree).spec(name)
        check(spec)
    except InvalidNameError as error:
        raise tree.wrong(f"{path}: {error.reason}", hint="Give it another name.") from None
    except InvalidSpecError as error:
        where = tree.get(*error.field.split(".")) or tree
        raise where.wrong(f"{path}.{error.field}: {error.reason}", hint=error.hint) from None
    return entry, spec


def _in_full(entry: Entry, tree: Tree) -> Entry:
    """The entry with absolute paths and complete ports."""
    if entry.working_dir is not None and entry.kind is not Kind.CONTAINER:
        folder = absolute(entry.working_dir, _folder(tree, "working_dir"))
        entry = msgspec.structs.replace(entry, working_dir=folder)
    return mounted(entry, tree)


def mounted(entry: Fields, tree: Tree) -> Fields:
    """What a container is given, with absolute paths and complete ports."""
    changes: dict[str, object] = {}
    if entry.volumes is not None:
        changes["volumes"] = _each(tree, "volumes", volume)
    if entry.log_volume is not None:
        changes["log_volume"] = volume(entry.log_volume, _folder(tree, "log_volume"))
    if entry.ports is not None:
        changes["ports"] = tuple(map(port, entry.ports))
    return msgspec.structs.replace(entry, **changes)


def absolute(path: str, folder: Path) -> str:
    """A path of this machine, in full: `~` is home, anything relative lies in `folder`."""
    return str((folder / Path(path).expanduser()).resolve())


def volume(text: str, folder: Path) -> str:
    """`HOST:CONTAINER[:MODE]` with the host's part absolute; a bare name is a named volume."""
    host, colon, rest = text.partition(":")
    is_path = host.startswith((".", "~"))
    return f"{absolute(host, folder)}{colon}{rest}" if is_path else text


def port(text: str) -> str:
    """`8080` is short for `8080:8080`."""
    number, slash, protocol = text.partition("/")
    return f"{number}:{number}{slash}{protocol}" if number.isdigit() else text


def _each(tree: Tree, field: str, change: Callable[[str, Path], str]) -> tuple[str, ...]:
    row = tree.get(field)
    items = row.value if row is not None and isinstance(row.value, list) else []
    return tuple(change(item.text, item.source.folder) for item in items)


def _folder(tree: Tree, field: str) -> Path:
    where = tree.get(field) or tree
    return where.source.folder
