"""What every command is given: how it was asked to behave, and how it speaks."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Collection, Coroutine
from typing import Any, cast

import click
import msgspec

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Kind, Place
from sandbox_tui.model.world import ContainerFacts, Sandbox, State

Afterwards = Callable[[], int]
"""What is left to do when the event loop has ended, with the exit code."""

Answer = int | Afterwards
_WHERE = {"socket": "at_socket", "runtime": "at_runtime"}
_KINDS = {"socket": Kind.TMUX, "runtime": Kind.CONTAINER}
"""Fields of a `Frame` and the kind that each is about, and the options that fill them."""

DEFAULT = "default"
"""How people call the tmux server whose socket nobody has named."""

Work = Callable[..., Answer | Coroutine[Any, Any, Answer]]
"""What a command does."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The options that every command has. Data goes to stdout, sentences to stderr."""

    json: bool = False
    kind: Kind | None = None
    quiet: bool = False
    no_color: bool = False
    demo: bool = False
    socket: str | None = None
    """Name of the tmux server that is meant."""
    runtime: str | None = None
    """Name of the engine that is meant."""

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

    @property
    def of_containers(self) -> Frame:
        """The same for a command that is about containers only."""
        return msgspec.structs.replace(self, kind=Kind.CONTAINER)

    def means(self, box: Sandbox) -> bool:
        """Whether `box` is where the options say, as far as they do."""
        if self.socket is not None:
            return box.ref.place == Place(Kind.TMUX, "" if self.socket == DEFAULT else self.socket)
        if self.runtime is not None:
            engine = box.facts.runtime if isinstance(box.facts, ContainerFacts) else None
            return engine == self.runtime or (engine == "" and box.state is State.DEFINED)
        return True

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
    kind = _kind(values)
    demo = bool(click.get_current_context().find_root().params.get("demo"))
    said = {option: values.pop(option) for option in ("json", "quiet", "no_color")}
    said |= {key: values.pop(option, None) for key, option in _WHERE.items()}
    answer = work(Frame(kind=kind, demo=demo, **said), **values)
    if isinstance(answer, Coroutine):
        import asyncio

        answer = asyncio.run(cast("Coroutine[Any, Any, Answer]", answer))
    return answer if isinstance(answer, int) else answer()


def _kind(values: dict[str, Any]) -> Kind | None:
    """The kind that is asked for, also by naming a server or an engine."""
    kinds = {Kind(kind) for kind in (values.pop("backend"),) if kind}
    kinds |= {_KINDS[key] for key, option in _WHERE.items() if values.get(option) is not None}
    if len(kinds) > 1:
        raise UsageError(f"nothing is {' and '.join(sorted(kinds))} at once", hint="Say one.")
    return next(iter(kinds), None)


def where_options(kinds: Collection[Kind] = frozenset(Kind)) -> list[click.Option]:
    """Which of several servers or engines has what a command names, for sandboxes of `kinds`."""
    said = ((option, OPTIONS[key]) for key, option in _WHERE.items() if _KINDS[key] in kinds)
    return [
        click.Option([each.flag, option], metavar=each.metavar, help=each.help)
        for option, each in said
    ]


def _common() -> list[click.Option]:
    backend = OPTIONS["kind"]
    kinds = click.Choice([kind.value for kind in Kind])
    return [
        click.Option([backend.flag, "backend"], type=kinds, help=backend.help),
        click.Option(["--json", "json"], is_flag=True, help="One clean JSON document."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing beside the data."),
        click.Option(["--no-color"], is_flag=True, help="No colours; NO_COLOR does the same."),
    ]
