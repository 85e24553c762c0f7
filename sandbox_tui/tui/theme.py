"""Themes: YAML files beside the program and in the user's own folder, and Textual's built-in ones.

A file is read when its theme is wanted, so that the first paint costs one file however many there
are. A broken file is a notice, never a crash: the dashboard goes on with the colours it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from sandbox_tui.model.errors import ConfigError, nearest

FALLBACK = "textual-dark"
"""What is shown when the wanted theme cannot be."""


class _ThemeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A theme as a person writes it; what is left out Textual derives from `primary`."""

    primary: str
    name: str = ""
    dark: bool = True
    secondary: str | None = None
    accent: str | None = None
    success: str | None = None
    warning: str | None = None
    error: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    boost: str | None = None
    variables: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


_COLOURS = tuple(
    field for field in _ThemeFile.__struct_fields__ if field not in ("name", "dark", "variables")
)


class Themes:
    """Every theme there is, by name; a later folder wins over an earlier one."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._files = {
            path.stem: path for folder in folders for path in sorted(folder.glob("*.y*ml"))
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Ours and the user's first, then Textual's."""
        builtin = (name for name in BUILTIN_THEMES if name not in self._files)
        return (*self._files, *builtin)

    def load(self, name: str) -> Theme:
        """One theme. Raises `ConfigError` when there is none or its file is broken."""
        path = self._files.get(name)
        if path is not None:
            return read_theme(path)
        if name in BUILTIN_THEMES:
            return BUILTIN_THEMES[name]
        near = ", ".join(nearest(name, self.names))
        hint = f"Did you mean {near}?" if near else "Run: sandbox-tui themes"
        raise ConfigError("ui.theme", f"no theme is called {name!r}", hint=hint)

    def after(self, name: str) -> str:
        """The next theme, round and round."""
        names = self.names
        return names[(names.index(name) + 1) % len(names)] if name in names else names[0]


def read_theme(path: Path) -> Theme:
    """The theme in a file, called as the file is. Raises `ConfigError` that names the file."""
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=_ThemeFile)
        colours = {name: getattr(found, name) for name in _COLOURS}
        for text in filter(None, (*colours.values(), *found.variables.values())):
            if text.startswith("#"):
                Color.parse(text)
    except (OSError, msgspec.DecodeError, ColorParseError) as error:
        raise ConfigError(str(path), _first_line(error)) from error
    variables = {**_derived(found), **found.variables}
    return Theme(name=path.stem, dark=found.dark, variables=variables, **colours)


def _derived(found: _ThemeFile) -> dict[str, str]:
    """Small parts that Textual would otherwise give the same colour in every theme."""
    return {
        "border": found.primary,
        "footer-key-foreground": found.accent or found.primary,
        "input-selection-background": f"{found.primary} 35%",
    }


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
