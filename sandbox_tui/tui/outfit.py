"""What the dashboard starts with: read from files once, before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from textual.theme import BUILTIN_THEMES, Theme

from sandbox_tui.hub.attention import Rule, parse_rules
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.settings import paths
from sandbox_tui.tui.keys import Keymap, keymap
from sandbox_tui.tui.theme import FALLBACK, Themes


class Outfit(msgspec.Struct, frozen=True, kw_only=True):
    """Values only, so that the app itself reads no file."""

    theme: Theme = msgspec.field(default_factory=lambda: BUILTIN_THEMES[FALLBACK])
    themes: Themes = msgspec.field(default_factory=lambda: Themes(()))
    keymap: Keymap = msgspec.field(default_factory=keymap)
    rules: Callable[[], Sequence[Rule]] = tuple
    """Reads what needs a person; called in a thread, once the dashboard is on the screen."""
    notices: tuple[str, ...] = ()
    """What was wrong with the configuration and could be gone on without."""


def load_outfit() -> Outfit:
    """What the configuration says. Raises `ConfigError` for keys that clash.

    A theme that is broken or not there, and broken entries of the configuration, are notices.
    """
    from sandbox_tui.settings.load import load

    loaded = load()
    ui = loaded.config.ui
    themes = Themes(paths.theme_folders())
    wrong = loaded.problems
    try:
        theme = themes.load(ui.theme)
    except ConfigError as error:
        theme, wrong = BUILTIN_THEMES[FALLBACK], [*wrong, error]
    return Outfit(
        theme=theme,
        themes=themes,
        keymap=keymap(ui.preset, ui.keymap),
        rules=load_rules,
        notices=tuple(f"{error.message}\n{error.hint}" for error in wrong),
    )


def load_rules() -> tuple[Rule, ...]:
    """What needs a person, as the bundled file says."""
    path = paths.bundled("config") / "attention.yaml"
    return parse_rules(path.read_bytes(), str(path))
