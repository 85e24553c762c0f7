"""`logs`: what a sandbox said, its last lines or everything from now on."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable

import click
import msgspec

from sandbox_tui.api.base import Api
from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.escapes import only_colours, without_escapes
from sandbox_tui.cli.frame import Frame, command, where_options
from sandbox_tui.cli.lines import Line, Lines
from sandbox_tui.cli.names import find, machine
from sandbox_tui.cli.outputs import write
from sandbox_tui.cli.times import moment, stamp
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.streams import closing

EVERYTHING = 10_000_000
"""More lines than any log has that an engine keeps."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines, and how they are to look."""

    lines: int
    follow: bool
    since: float | None
    matches: Callable[[str], object]
    is_selective: bool
    clean: Callable[[str], str]
    timestamps: bool

    @property
    def tail(self) -> int:
        """How many lines must be asked for to have those that are wanted."""
        return EVERYTHING if self.is_selective and not self.follow else self.lines


@command(
    "logs",
    name_argument(),
    *where_options(),
    click.Option(
        ["-n", "--lines"],
        type=click.IntRange(min=0),
        default=100,
        show_default=True,
        help="The last lines; with --grep, the last that match.",
    ),
    click.Option(["-f", "--follow"], is_flag=True, help="Go on with everything new."),
    click.Option(["--since"], metavar="TIME", help="As: 10m, 2h30m, 2025-01-31T12:00."),
    click.Option(["-t", "--timestamps"], is_flag=True, help="Local time before each line."),
    click.Option(["--grep", "pattern"], metavar="RE", help="Only lines that match."),
    click.Option(["--no-ansi"], is_flag=True, help="Without the colours it has itself."),
)
async def logs(
    frame: Frame,
    *,
    name: str,
    lines: int,
    follow: bool,
    since: str | None,
    timestamps: bool,
    pattern: str | None,
    no_ansi: bool,
) -> int:
    """Print what a sandbox said: its last lines in true order, also when it has ended."""
    wish = Wish(
        lines=lines,
        follow=follow,
        since=moment(since) if since is not None else None,
        matches=_matcher(pattern),
        is_selective=pattern is not None,
        clean=without_escapes if no_ansi else only_colours,
        timestamps=timestamps,
    )
    async with machine(frame, name) as api:
        ref = await find(frame, api.world, name)
        if ref.kind is Kind.TMUX and (since is not None or timestamps):
            frame.tell("tmux keeps no times: --since and --timestamps change nothing")
        async with contextlib.aclosing(_said(api, ref, wish)) as said:
            await (_follow if follow else _last)(frame, ref, said, wish)
    return OK


async def _said(api: Api, ref: Ref, wish: Wish) -> AsyncGenerator[Line]:
    """The lines that match, in true order."""
    pieces = Lines()
    log = api.follow(ref, tail=wish.tail, live=wish.follow, since=wish.since)
    async with closing(log) as outputs:
        async for output in outputs:
            for line in pieces.feed(output):
                if wish.matches(line.text):
                    yield line
    for line in pieces.rest():
        if wish.matches(line.text):
            yield line


async def _follow(frame: Frame, ref: Ref, said: AsyncGenerator[Line], wish: Wish) -> None:
    async for line in said:
        if frame.json:
            frame.show_json({"ref": ref, **_entry(line, wish)})
        else:
            write(_printed(line, wish))


async def _last(frame: Frame, ref: Ref, said: AsyncGenerator[Line], wish: Wish) -> None:
    last: deque[Line] = deque(maxlen=wish.lines)
    async for line in said:
        last.append(line)
    if frame.json:
        frame.show_json({"ref": ref, "lines": [_entry(line, wish) for line in last]})
    else:
        write("".join(_printed(line, wish) for line in last))


def _entry(line: Line, wish: Wish) -> dict[str, object]:
    return {"at": line.at, "stream": line.stream, "text": wish.clean(line.text)}


def _printed(line: Line, wish: Wish) -> str:
    time = f"{stamp(line.at)} " if wish.timestamps and line.at is not None else ""
    return f"{time}{wish.clean(line.text)}\n"


def _matcher(pattern: str | None) -> Callable[[str], object]:
    """A test of a line's plain text. Raises `UsageError` for what is no regular expression."""
    if pattern is None:
        return lambda _: True
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"--grep {pattern!r}: {error}", hint="Escape it with \\.") from None
    return lambda text: search(without_escapes(text))
