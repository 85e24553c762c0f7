"""What every command is given: how it was asked to behave, and how it speaks."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, cast

import click
import msgspec

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.refs import Kind

Afterwards = Callable[[], int]
"""What is left to do when the event loop has ended, with the exit code."""

Answer = int | Afterwards
Work = Callable[..., Answer | Coroutine[Any, Any, Answer]]
"""What a command does."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The options that every command has. Data goes to stdout, sentences to stderr."""

    json: bool = False
    kind: Kind | None = None
    quiet: bool = False
    no_color: bool = False
    demo: bool = False

    @property
    def colour(self) -> bool:
        """Whether stdout takes colours."""
        unwanted = self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not unwanted and sys.stdout.isatty()

    @property
    def width(self) -> int | None:
        """Columns of the terminal; `None` in a pipe, where nothing is cut."""
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else None

    @property
    def is_attended(self) -> bool:
        """Whether somebody is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def tell(self, text: str) -> None:
        """A sentence for a person, beside the data."""
        if not self.quiet and not self.json:
            warn(text)

    def show(self, text: str) -> None:
        """Data: one line or several."""
        click.echo(text, color=True)

    def show_json(self, value: object) -> None:
        """Data: one line of JSON."""
        click.echo(to_json(value).decode())


def command(name: str, *params: click.Parameter) -> Callable[[Work], click.Command]:
    """Make a command of a function; its docstring is the help.

    The function is given a `Frame` and the values of `params`. It answers with the exit code, or
    with a function that does; it may be a coroutine function.
    """

    def make(work: Work) -> click.Command:
        begin = functools.partial(_begin, work)
        return click.Command(name, params=[*params, *_common()], callback=begin, help=work.__doc__)

    return make


def _begin(work: Work, /, **values: Any) -> int:
    kind = values.pop("backend")
    demo = bool(click.get_current_context().find_root().params.get("demo"))
    said = {option: values.pop(option) for option in ("json", "quiet", "no_color")}
    answer = work(Frame(kind=Kind(kind) if kind else None, demo=demo, **said), **values)
    if isinstance(answer, Coroutine):
        import asyncio

        answer = asyncio.run(cast("Coroutine[Any, Any, Answer]", answer))
    return answer if isinstance(answer, int) else answer()


def _common() -> list[click.Option]:
    backend = OPTIONS["kind"]
    kinds = click.Choice([kind.value for kind in Kind])
    return [
        click.Option([backend.flag, "backend"], type=kinds, help=backend.help),
        click.Option(["--json", "json"], is_flag=True, help="One clean JSON document."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing beside the data."),
        click.Option(["--no-color"], is_flag=True, help="No colours; NO_COLOR does the same."),
    ]
