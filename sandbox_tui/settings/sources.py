"""A YAML file as a tree that still knows what was written, and on which line.

Text is kept beside value because YAML guesses: `8080:22` is a number to it and `yes` a boolean,
and an environment variable must get what its author wrote.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from sandbox_tui.model.errors import ConfigError

if TYPE_CHECKING:
    from yaml import CSafeLoader, MappingNode, Node, SafeLoader

    Loader = SafeLoader | CSafeLoader

LONGEST = 16 * 1024**2
"""Bytes in a file."""

Scalar = str | int | float | bool | None


class Source(NamedTuple):
    """Where a value was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def folder(self) -> Path:
        """What relative paths in that file are relative to."""
        return Path(self.file).parent


class Tree(msgspec.Struct, frozen=True):
    """A mapping, a list or a scalar of a file; `text` is a scalar as it was written."""

    value: dict[str, Tree] | list[Tree] | Scalar
    source: Source
    text: str = ""

    def wrong(self, reason: str, *, hint: str = "") -> ConfigError:
        """An error that points here."""
        return ConfigError(self.source.file, reason, line=self.source.line, hint=hint)

    def get(self, *path: str) -> Tree | None:
        """What lies under these keys."""
        here: Tree | None = self
        for key in path:
            here = here.value.get(key) if here and isinstance(here.value, dict) else None
        return here


def read(file: Path) -> Tree | None:
    """The tree of a YAML file; `None` when there is no such file. Raises `ConfigError`."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(str(file), "is not a regular file")
    if found.st_size > LONGEST:
        raise ConfigError(str(file), f"has {found.st_size} bytes, {LONGEST} are allowed")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), f"is not UTF-8 text: {error.reason}") from None
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read: {error.strerror}") from None
    return parse(text, str(file))


def parse(text: str, file: str) -> Tree:
    """The tree of a YAML text, whose top is always a mapping. Raises `ConfigError`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Tree({}, Source(file, 1))
        tree = _Reader(loader, file).tree(node)
    except yaml.YAMLError as error:
        raise _unreadable(file, error) from None
    except RecursionError:
        raise ConfigError(file, "is nested too deeply") from None
    finally:
        loader.dispose()
    if not isinstance(tree.value, dict):
        raise tree.wrong("the file must be a mapping of keys")
    return tree


def merge(near: Tree, far: Tree) -> Tree:
    """Both trees in one: mappings key by key, everything else as the near one has it."""
    if not isinstance(near.value, dict) or not isinstance(far.value, dict):
        return near
    both = dict(far.value)
    for key, tree in near.value.items():
        both[key] = merge(tree, both[key]) if key in both else tree
    return Tree(both, near.source)


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Source]]:
    """The dotted path of every scalar and list, and where it was written."""
    if isinstance(tree.value, dict) and tree.value:
        for key, below in tree.value.items():
            yield from leaves(below, dotted(path, key))
    elif path:
        yield path, tree.source


def without_token(address: str) -> str:
    """An address without what opens it, for whoever looks over a shoulder or at a log."""
    return re.sub(r"([?&]token=)[^&#]+", r"\1…", address)


def dotted(path: str, key: str) -> str:
    """`path.key`; a key that itself has a dot or a space is quoted, and a line end in it shown."""
    plain = key.replace("-", "").replace("_", "").isalnum()
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in key)
    step = key if plain else f'"{shown}"'
    return f"{path}.{step}" if path else step


class _Reader:
    """Turns the nodes of one file into a tree. An anchor is read once, however often it is used."""

    def __init__(self, loader: Loader, file: str) -> None:
        self._loader = loader
        self._file = file
        self._read: dict[int, Tree | None] = {}

    def tree(self, node: Node) -> Tree:
        if id(node) not in self._read:
            self._read[id(node)] = None
            self._read[id(node)] = self._fresh(node)
        tree = self._read[id(node)]
        if tree is None:
            raise ConfigError(self._file, "an anchor contains itself", line=_line(node))
        return tree

    def _fresh(self, node: Node) -> Tree:
        import yaml

        source = Source(self._file, _line(node))
        if isinstance(node, yaml.MappingNode):
            return Tree(self._mapping(node), source)
        if isinstance(node, yaml.SequenceNode):
            return Tree([self.tree(item) for item in node.value], source)
        return Tree(self._scalar(node), source, str(node.value))

    def _mapping(self, node: MappingNode) -> dict[str, Tree]:
        own: dict[str, Tree] = {}
        inherited: dict[str, Tree] = {}
        for key, value in node.value:
            name = self._key(key)
            if key.tag == _MERGE:
                inherited = self._inherited(value) | inherited
            elif name in own:
                raise ConfigError(self._file, f"the key {name} is there twice", line=_line(key))
            else:
                own[name] = self._at(key, self.tree(value))
        return inherited | own

    def _key(self, key: Node) -> str:
        if not isinstance(key.value, str):
            raise ConfigError(self._file, "a key must be a word", line=_line(key))
        return key.value

    def _inherited(self, node: Node) -> dict[str, Tree]:
        """What `<<` brings: one mapping, or several of which the first wins."""
        above = self.tree(node)
        entries: dict[str, Tree] = {}
        for tree in above.value if isinstance(above.value, list) else [above]:
            if not isinstance(tree.value, dict):
                raise above.wrong("only a mapping can be merged with <<")
            entries = tree.value | entries
        return entries

    def _at(self, key: Node, tree: Tree) -> Tree:
        """A mapping or list begins where its key stands, which is where a person looks."""
        if isinstance(tree.value, dict | list):
            return Tree(tree.value, Source(self._file, _line(key)))
        return tree

    def _scalar(self, node: Node) -> Scalar:
        """What YAML takes it for; dates and the like stay text."""
        try:
            value = cast("Any", self._loader).construct_object(node)  # untyped in its stubs
        except ValueError:
            return str(node.value)
        return value if isinstance(value, Scalar) else str(node.value)


_MERGE = "tag:yaml.org,2002:merge"


def _line(node: Node) -> int:
    return node.start_mark.line + 1


def _unreadable(file: str, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
    line = mark.line + 1 if mark is not None else None
    return ConfigError(file, f"is not YAML: {reason}", line=line)
