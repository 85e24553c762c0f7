"""From a tree of a file to typed values, guided by the Structs of the schema.

Errors name the file, the line and the dotted path. Where the schema wants text, any scalar will do
and what was written is taken: `PORT: 8080`, `1.10`, `yes`.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from sandbox_tui.model.errors import ConfigError, InvalidSpecError
from sandbox_tui.settings.sources import Tree, dotted, without_token

AnySection = TypeVar("AnySection", bound=msgspec.Struct)


def build(section: type[AnySection], tree: Tree, path: str = "") -> AnySection:
    """The section that `tree` describes. Raises `ConfigError`."""
    if tree.value is None:
        return section()
    if not isinstance(tree.value, dict):
        raise _mismatch(tree, path, "a mapping of keys")
    fields = _fields(section)
    said: dict[str, object] = {}
    for key, below in tree.value.items():
        if key not in fields:
            raise _unknown(below, path, key, fields)
        said[key] = _value(fields[key], below, dotted(path, key))
    return section(**said)


@functools.cache
def _fields(section: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The type of each field; resolved once, which takes longer than all the rest."""
    return {entry.name: entry.type for entry in msgspec.structs.fields(section)}


def _value(wanted: Any, tree: Tree, path: str) -> object:
    """One value of the wanted type, whatever the schema may want."""
    if tree.value is None and type(None) in get_args(_bare(wanted)):
        return None
    kind = _chosen(wanted, tree)
    bare = _bare(kind)
    origin = get_origin(bare)
    if origin is tuple:
        return _row(bare, tree, path)
    if origin is Mapping:
        return _mapping(bare, tree, path)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return build(bare, tree, path)
    return _leaf(kind, bare, tree, path)


def _row(wanted: Any, tree: Tree, path: str) -> tuple[object, ...]:
    if not isinstance(tree.value, list):
        raise _mismatch(tree, path, "a list")
    item = get_args(wanted)[0]
    return tuple(_value(item, entry, f"{path}[{n}]") for n, entry in enumerate(tree.value))


def _mapping(wanted: Any, tree: Tree, path: str) -> dict[str, object]:
    if tree.value is None:
        return {}
    if not isinstance(tree.value, dict):
        raise _mismatch(tree, path, "a mapping of keys")
    item = get_args(wanted)[1]
    return {key: _value(item, below, dotted(path, key)) for key, below in tree.value.items()}


def _leaf(wanted: Any, bare: Any, tree: Tree, path: str) -> object:
    if isinstance(tree.value, dict | list) or tree.value is None:
        raise _mismatch(tree, path, _words(wanted))
    parse = next((meta.extra["parse"] for meta in _metas(wanted) if meta.extra), None)
    try:
        value = parse(tree.text) if parse else tree.text if bare is str else tree.value
        return msgspec.convert(value, wanted)
    except (msgspec.ValidationError, InvalidSpecError):
        raise _mismatch(tree, path, _words(wanted)) from None


def _chosen(wanted: Any, tree: Tree) -> Any:
    """The member of a union that fits the look of the value: a list where one is written."""
    bare = _bare(wanted)
    if get_origin(bare) not in (Union, types.UnionType):
        return wanted
    members = [member for member in get_args(bare) if member is not type(None)]
    rows = [member for member in members if get_origin(member) is tuple]
    others = [member for member in members if member not in rows]
    return (rows or others)[0] if isinstance(tree.value, list) else (others or rows)[0]


def _bare(wanted: Any) -> Any:
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _unknown(tree: Tree, path: str, key: str, known: Mapping[str, object]) -> ConfigError:
    import difflib  # only where something is wrong

    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    hint = f"Did you mean {dotted(path, near[0])}?" if near else f"Known: {', '.join(known)}."
    return tree.wrong(f"unknown key {dotted(path, key)}", hint=hint)


def _mismatch(tree: Tree, path: str, wanted: str) -> ConfigError:
    return tree.wrong(f"{path} must be {wanted}, not {_found(tree)}")


def _found(tree: Tree) -> str:
    if isinstance(tree.value, dict):
        return "a mapping"
    if isinstance(tree.value, list):
        return "a list"
    return without_token(tree.text) or "nothing"


def _words(wanted: Any) -> str:
    """A leaf's type in a person's words."""
    bare = _bare(wanted)
    if get_origin(bare) is Literal:
        return f"one of {', '.join(map(str, get_args(bare)))}"
    if issubclass(bare, Enum):
        return f"one of {', '.join(member.value for member in bare)}"
    for meta in _metas(wanted):
        if meta.title:
            return meta.title
    limits = [f" from {meta.ge:g} to {meta.le:g}" for meta in _metas(wanted) if meta.le is not None]
    return _WORDS[bare] + "".join(limits)


def _metas(wanted: Any) -> Iterator[msgspec.Meta]:
    return (meta for meta in get_args(wanted)[1:] if isinstance(meta, msgspec.Meta))


_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
