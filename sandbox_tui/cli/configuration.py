"""`config` and `themes`: what is configured, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import click
import msgspec

from sandbox_tui.cli.diagnostics import OK, warn
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.cli.tables import Styled, table
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.settings import compat, paths
from sandbox_tui.settings.load import Loaded, load
from sandbox_tui.settings.schema import Config, schema
from sandbox_tui.settings.sources import dotted, without_token

BUILT_IN = "built in"
"""The source of what no file says."""


@command("show", click.Option(["--sources"], is_flag=True, help="With file and line of each."))
def show(frame: Frame, *, sources: bool) -> int:
    """Print the configuration that counts in this folder."""
    loaded = load(defaults=True)
    values = dict(_flat(_plain(loaded.config)))
    if frame.json:
        frame.show_json(_sourced(loaded, values) if sources else _plain(loaded.config))
    elif sources:
        rows = [(path, _words(value), _source(loaded, path)) for path, value in values.items()]
        titles = ("KEY", "VALUE", "SOURCE")
        frame.show(table(titles, rows, width=frame.width, colour=frame.colour))
    else:
        frame.show(_yaml(_plain(loaded.config)))
    for problem in loaded.problems:
        warn(f"warning: {problem.message}. {problem.hint}")
    return OK


@command("path")
def path(frame: Frame) -> int:
    """Print where configuration is read from, nearest first."""
    places = {
        "project": paths.project_file() or Path.cwd() / paths.PROJECT_FILE,
        **_if_there("kstlib", Path.cwd() / compat.FILE),
        "user": paths.user_file(),
        **_if_there("user's kstlib", *compat.user_files()),
        "defaults": paths.default_file(),
    }
    if frame.json:
        frame.show_json(
            {role: {"path": str(p), "exists": p.is_file()} for role, p in places.items()}
        )
        return OK
    rows = [
        (role, str(place), "" if place.is_file() else "(none yet)")
        for role, place in places.items()
    ]
    frame.show(table(("ROLE", "FILE", ""), rows, width=None, colour=frame.colour))
    return OK


@command("schema")
def print_schema(frame: Frame) -> int:
    """Print the JSON Schema of configuration files, for editors."""
    frame.show(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
    return OK


config = click.Group("config", commands=[show, path, print_schema], help="Show the configuration.")


@command("themes")
def themes(frame: Frame) -> int:
    """List the dashboard's themes; yours come from themes/*.yaml beside your configuration."""
    current = load().config.ui.theme
    found = {
        file.stem: file
        for folder in paths.theme_folders()
        for file in sorted(folder.glob("*.y*ml"))
    }
    if frame.json:
        entries = [{"name": name, "file": str(file)} for name, file in found.items()]
        frame.show_json({"current": current, "themes": entries})
        return OK
    rows = [(Styled(name, "1" if name == current else ""), str(found[name])) for name in found]
    frame.show(table(("NAME", "FILE"), rows, width=frame.width, colour=frame.colour))
    frame.tell(f"now: {current}; textual's own themes work by their names, too")
    return OK


def _if_there(role: str, *files: Path) -> dict[str, Path]:
    """The first of these files that exists: what need not be there is not asked for."""
    found = next((file for file in files if file.is_file()), None)
    return {role: found} if found is not None else {}


def _plain(config: Config) -> dict[str, object]:
    """As a file would say it: what an entry leaves out is left out."""
    plain: dict[str, object] = to_builtins(_without_tokens(config))
    entries = {name: _said(to_builtins(entry)) for name, entry in config.sandboxes.items()}
    return {**plain, "sandboxes": entries}


def _without_tokens(config: Config) -> Config:
    replace, room = msgspec.structs.replace, config.backends.room
    room = replace(room, servers=tuple(map(without_token, room.servers)))
    return replace(config, backends=replace(config.backends, room=room))


def _said(entry: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in entry.items() if value is not None}


def _flat(tree: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf by its dotted path."""
    for key, value in tree.items():
        here = dotted(above, key)
        if isinstance(value, dict) and value:
            yield from _flat(cast("dict[str, object]", value), here)
        else:
            yield here, value


def _sourced(loaded: Loaded, values: Mapping[str, object]) -> dict[str, object]:
    return {
        path: {"value": value, "source": _source(loaded, path)} for path, value in values.items()
    }


def _source(loaded: Loaded, path: str) -> str:
    source = loaded.sources.get(path)
    return str(source) if source is not None else BUILT_IN


def _words(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _yaml(value: object) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text.rstrip()
