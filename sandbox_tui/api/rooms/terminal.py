"""What a terminal's IPython displays, told to whoever shows it: its hooks are bridged."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from sandbox_tui.model.outputs import Display

Heard = Callable[[str, str, Display], None]
"""Called with the id of a run, its title, and what it displayed; in IPython's thread."""


class TerminalHooks:
    """The hooks of one shell: `display()` and the values of cells."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._types: object = ()
        self._publish: Callable[..., object] | None = None
        self._heard: Heard | None = None

    def open(self, heard: Heard) -> None:
        """Bridge them."""
        self._heard = heard
        publisher = self._shell.display_pub
        original = self._publish = publisher.publish

        def publish(data: Mapping[str, object], *args: object, **options: object) -> object:
            self._tell(_display(data, None))
            return original(data, *args, **options)

        publisher.publish = publish
        formatter = self._shell.display_formatter
        self._types, formatter.active_types = formatter.active_types, formatter.format_types
        self._shell.events.register("post_run_cell", self._ran)

    def close(self) -> None:
        """Give them back."""
        if self._publish is not None:
            self._shell.display_pub.publish = self._publish
            self._shell.display_formatter.active_types = self._types
            self._shell.events.unregister("post_run_cell", self._ran)
            self._publish = self._heard = None

    def _tell(self, display: Display) -> None:
        count = self._shell.execution_count
        if self._heard is not None:
            self._heard(f"run-{count}", f"In [{count}]", display)

    def _ran(self, result: Any) -> None:
        """A cell ended; what it is worth has forms that a terminal does not show."""
        if result.result is not None:
            data, _ = self._shell.display_formatter.format(result.result)
            self._tell(_display(data, result.execution_count))


def _display(data: Mapping[str, object], count: int | None) -> Display:
    return Display({mime: _as_text(value) for mime, value in data.items()}, execution_count=count)


def _as_text(value: object) -> object:
    """Pictures are bytes in a terminal's IPython, and base64 everywhere else."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def shell() -> Any:
    """The IPython that this code runs in; `None` elsewhere.

    Without importing it: who does not run in it does not have it loaded.
    """
    ipython = sys.modules.get("IPython")
    return cast(Any, ipython).get_ipython() if ipython is not None else None


def connection_file(shell: Any) -> Path | None:
    """Of the kernel that the shell belongs to; `None` in a terminal."""
    kernel = getattr(shell, "kernel", None)
    application = getattr(kernel, "parent", None)
    path = getattr(application, "abs_connection_file", None)
    return Path(path) if isinstance(path, str) else None
