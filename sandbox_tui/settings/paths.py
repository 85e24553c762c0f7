"""Where files are: the user's, the project's, and those that come with the program."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_FILE = "sandbox-tui.yml"
USER_FILE = "config.yml"

_PACKAGE = Path(__file__).parent.parent


def user_folder() -> Path:
    """The user's own folder: `$XDG_CONFIG_HOME/sandbox-tui`."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def user_file() -> Path:
    """The user's configuration, whether it exists or not."""
    return user_folder() / USER_FILE


def project_file(cwd: Path | None = None) -> Path | None:
    """The nearest `sandbox-tui.yml` in `cwd` or above it."""
    start = (cwd or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        candidate = folder / PROJECT_FILE
        if os.path.exists(candidate):  # noqa: PTH110 - also above folders one may not look into
            return candidate
    return None


def bundled(name: str) -> Path:
    """A folder that comes with the program: `themes` or `config`.

    A wheel carries both in `_data`; an editable install has none of that and uses the checkout.
    """
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def default_file() -> Path:
    """The documented defaults."""
    return bundled("config") / "default.yml"


def theme_folders() -> tuple[Path, ...]:
    """Where themes are looked for; the later one wins."""
    return (bundled("themes"), user_folder() / "themes")


def state_folder() -> Path:
    """What is kept between runs: `$SANDBOX_TUI_HOME`, or `$XDG_STATE_HOME/sandbox-tui`."""
    if home := os.environ.get("SANDBOX_TUI_HOME"):
        return Path(home).expanduser()
    return _xdg("XDG_STATE_HOME", ".local/state")


def _xdg(variable: str, fallback: str) -> Path:
    """An XDG base folder with the program's name; a relative value is ignored, as XDG says."""
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else Path.home() / fallback) / "sandbox-tui"
