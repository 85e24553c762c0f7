"""The configuration of this folder and user: nearest file wins, key by key.

`./sandbox-tui.yml` (found upward), then the user's file, then the defaults in the schema; beside
each of the first two, a `kstlib.conf.yml` that is there already (see `compat`). A faulty entry
under `sandboxes:` is reported and left out, so that it cannot be started by mistake; any other
fault makes the whole configuration unusable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Spec
from sandbox_tui.settings import compat, paths
from sandbox_tui.settings.schema import USER_ONLY, Config, Entry, Profile
from sandbox_tui.settings.sources import Source, Tree, leaves, merge, read


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration and what is known about it."""

    config: Config
    definitions: Mapping[Ref, Spec] = msgspec.field(default_factory=dict[Ref, Spec])
    broken: Mapping[str, ConfigError] = msgspec.field(default_factory=dict[str, ConfigError])
    """Why entries were left out, by their name."""
    refused: tuple[ConfigError, ...] = ()
    """What else was left out, because that file may not say it."""
    sources: Mapping[str, Source] = msgspec.field(default_factory=dict[str, Source])
    """Dotted path → where the value was written; what is missing here is a default."""
    files: tuple[Path, ...] = ()
    """The files that were read, nearest first."""

    @property
    def problems(self) -> list[ConfigError]:
        """Everything to tell the user about."""
        return [*self.broken.values(), *self.refused]


def load(cwd: Path | None = None, *, defaults: bool = False) -> Loaded:
    """Read every file that counts for `cwd`. Raises `ConfigError`.

    `defaults` reads the documented defaults too, so that every value has a source.
    """
    near, far = compat.project(cwd), compat.user()
    found = (_project(cwd), *near.trees, read(paths.user_file()), *far.trees)
    trees = [tree for tree in found if tree is not None]
    if defaults and (tree := read(paths.default_file())) is not None:
        trees.append(tree)
    return _loaded(trees, (*near.refused, *far.refused))


def _loaded(trees: list[Tree], refused: tuple[ConfigError, ...]) -> Loaded:
    if not trees:
        return Loaded(config=Config(), refused=refused)
    from sandbox_tui.settings.building import build

    whole = trees[0]
    for tree in trees[1:]:
        whole = _merge(whole, tree)
    entries, definitions, broken = _define(whole.get("sandboxes"))
    config = build(Config, _without_sandboxes(whole))
    return Loaded(
        config=msgspec.structs.replace(
            config, sandboxes=entries, profiles=_profiles(config, whole.get("profiles"))
        ),
        definitions=definitions,
        broken=broken,
        refused=refused,
        sources=dict(leaves(whole)),
        files=tuple(Path(tree.source.file) for tree in trees),
    )


def _project(cwd: Path | None) -> Tree | None:
    """The project's file, which may define sandboxes but not choose what is executed."""
    file = paths.project_file(cwd)
    tree = read(file) if file is not None else None
    for path in USER_ONLY if tree is not None else ():
        refused = tree.get(*path) if tree is not None else None
        if refused is not None:
            reason = f"{'.'.join(path)} is not for a project's file: it came with the folder"
            raise refused.wrong(reason, hint=f"Move it to {paths.user_file()}.")
    return tree


def _merge(near: Tree, far: Tree) -> Tree:
    """Both files in one. An entry that changes its backend replaces the farther one whole."""
    both = merge(near, far)
    mine, theirs, merged = near.get("sandboxes"), far.get("sandboxes"), both.get("sandboxes")
    if mine is None or theirs is None or merged is None or not isinstance(merged.value, dict):
        return both
    for name in list(merged.value):
        here, there = mine.get(name, "backend"), theirs.get(name, "backend")
        if here is not None and there is not None and here.value != there.value:
            merged.value[name] = mine.get(name) or merged.value[name]
    return both


def _define(
    tree: Tree | None,
) -> tuple[dict[str, Entry], dict[Ref, Spec], dict[str, ConfigError]]:
    from sandbox_tui.settings.definitions import define

    entries: dict[str, Entry] = {}
    definitions: dict[Ref, Spec] = {}
    broken: dict[str, ConfigError] = {}
    for name, below in tree.value.items() if tree and isinstance(tree.value, dict) else ():
        try:
            entries[name], spec = define(name, below)
            definitions[spec.ref] = spec
        except ConfigError as error:
            broken[name] = error
    return entries, definitions, broken


def _profiles(config: Config, tree: Tree | None) -> Mapping[str, Profile]:
    """The profiles with what is relative taken from the file that says it."""
    if tree is None or not config.profiles:
        return config.profiles
    from sandbox_tui.settings.definitions import mounted

    below = {name: tree.get(name) for name in config.profiles}
    return {name: mounted(each, below[name] or tree) for name, each in config.profiles.items()}


def _without_sandboxes(tree: Tree) -> Tree:
    """The rest of the file; `sandboxes` stays only when it is not even a mapping."""
    if not isinstance(tree.value, dict) or not isinstance(tree.value.get("sandboxes"), Tree):
        return tree
    rest = dict(tree.value)
    if isinstance(rest["sandboxes"].value, dict | None):
        del rest["sandboxes"]
    return Tree(rest, tree.source)
