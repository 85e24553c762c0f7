"""What panes show, and what they have said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.backends.tmux.rows import plain
from sandbox_tui.model.errors import NotFoundError
from sandbox_tui.model.outputs import Output, Screen, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import TmuxSpec
from tests.integration.tmux.conftest import Watch
from tests.support import TmuxServer, retry_until_async, stays

WEB = Ref("tmux:web")


async def screen(backend: TmuxBackend, ref: Ref = WEB) -> Screen:
    return (await backend.capture([ref]))[ref]


async def lines(
    outputs: AsyncIterator[Output], count: int | None = None, last: str | None = None
) -> list[str]:
    """The first `count` lines, those up to `last`, or all; in time, or the test fails."""
    told: list[str] = []
    async with asyncio.timeout(20), aclosing(outputs):  # type: ignore[type-var]
        async for output in outputs:
            assert isinstance(output, Text)
            assert output.stream == "pty"
            assert output.text.endswith("\n")
            told.append(output.text[:-1])
            if len(told) == count or told[-1] == last:
                break
    return told


# --- the screen -------------------------------------------------------------------------------


async def test_rows_are_those_of_the_terminal(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    long = "x" * 50
    command = f"printf '\\033[31mred\\nstill\\033[0m {long}\\n\\033(0lqk\\033(B\\n[/b]'; sleep 99"
    tmux_server.new_session("web", command, width=40, height=7)
    await Watch(backend, WEB).shows("[/b]")
    shown = await screen(backend)

    assert (shown.width, shown.height, shown.cursor) == (40, 7, (4, 4))
    assert [plain(row) for row in shown.rows] == [
        "red",
        "still " + "x" * 34,
        "x" * 16,
        "┌─┐",
        "[/b]",
        "",
        "",
    ]
    assert shown.rows[0] == "\x1b[31mred\x1b[m"
    assert shown.rows[1].startswith("\x1b[31mstill\x1b[39m xx")


async def test_a_hidden_cursor_and_a_title(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    command = "printf '\\033[?25l\\033]2;a title [/x] %%H\\033\\\\ready'; sleep 99"
    tmux_server.new_session("web", command)
    await Watch(backend, WEB).shows("ready")
    shown = await screen(backend)

    assert (shown.cursor, shown.title) == (None, "a title [/x] %H")


async def test_an_unchanged_screen_is_the_same_object(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "echo ready; sleep 1000")
    await Watch(backend, WEB).shows("ready")
    first = await screen(backend)

    async def is_first() -> bool:
        return await screen(backend) is first

    assert await stays(is_first, 2.5)
    tmux_server.run("resize-window", "-t", "=web:", "-x", "60", "-y", "12")

    assert (await screen(backend)).width == 60


async def test_a_change_in_place_is_seen(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    """The cursor comes back to where it was, and nothing scrolls."""
    paint = "printf '\\0337\\033[3;5H%s\\0338' "
    loop = f"i=0; while read line; do {paint} mark$i-; i=$((i+1)); done"
    tmux_server.new_session("web", f"stty -echo; echo ready; {loop}")
    watch = Watch(backend, WEB)
    await watch.shows("ready")
    for number in range(6):
        await backend.type(WEB, "", enter=True)
        await watch.shows(f"mark{number}-")


async def test_a_change_is_seen_within_moments(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "cat")
    watch = Watch(backend, WEB)
    for number in range(10):
        tmux_server.run("send-keys", "-t", "=web:", f"n{number}-", "Enter")
        began = time.monotonic()
        await watch.shows(f"n{number}-")
        assert time.monotonic() - began < 1.0


async def test_only_what_is_there_is_captured(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    tmux_server.new_session("db", "sleep", "1000")
    refs = [WEB, Ref("tmux:db"), Ref("tmux:nobody"), Ref("tmux:we")]
    assert set(await backend.capture(refs)) == {WEB, Ref("tmux:db")}
    tmux_server.run("kill-session", "-t", "=db")

    assert set(await backend.capture(refs)) == {WEB}
    assert await backend.capture([]) == {}


async def test_the_active_pane_is_shown(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("web", "echo one; sleep 1000")
    await Watch(backend, WEB).shows("one")
    tmux_server.run("new-window", "-t", "=web:", "echo two; sleep 1000")
    rows = await Watch(backend, WEB).shows("two")

    assert "one" not in "".join(rows)


async def test_the_last_screen_of_what_has_exited(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="web", command="echo last words; exit 2"))
    await Watch(backend, ref).until("exited")

    shown = await screen(backend)
    assert [row for row in shown.rows if row] == ["last words"]
    assert shown.cursor is None


# --- the log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [0, 1, 7, 200, 1500, 5000])
async def test_the_last_lines_are_exactly_so_many(
    backend: TmuxBackend, tmux_server: TmuxServer, tail: int
) -> None:
    tmux_server.run("set-option", "-g", "history-limit", "4000")
    tmux_server.new_session("web", "seq 1 3000; echo ready; sleep 1000")
    await Watch(backend, WEB).shows("ready")
    said = [*map(str, range(1, 3001)), "ready"]

    assert await lines(backend.follow(WEB, tail=tail, live=False)) == said[max(0, 3001 - tail) :]


async def test_long_lines_are_one_line_and_colours_are_kept(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    command = "seq -s- 1 60; seq -s- 1 60; printf '\\033[32mgreen\\033[0m\\n\\nend'; sleep 1000"
    tmux_server.new_session("web", command, width=20, height=5)
    await Watch(backend, WEB).shows("end")
    row = "-".join(map(str, range(1, 61)))
    said = [row, row, "\x1b[32mgreen\x1b[m", "", "end"]

    for tail in range(1, 6):
        assert await lines(backend.follow(WEB, tail=tail, live=False)) == said[-tail:]


async def test_the_log_of_what_has_exited(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="web", command="seq 1 40; printf end; exit 2"))
    await Watch(backend, ref).until("exited")
    said = [*map(str, range(1, 41)), "end"]

    assert await lines(backend.follow(ref, live=False)) == said
    assert await lines(backend.follow(ref, tail=3, live=True)) == said[-3:]


async def test_tmux_own_notice_is_no_line_of_the_log(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-option", "-g", "remain-on-exit", "on")
    tmux_server.new_session("web", "echo one; echo two")
    await Watch(backend, WEB).until("exited")
    await Watch(backend, WEB).shows("Pane is dead")

    assert await lines(backend.follow(WEB, live=False)) == ["one", "two"]


async def test_a_flood_is_followed_as_far_as_tmux_has_it(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-option", "-g", "history-limit", "100")
    command = "stty -echo; echo ready; read x; seq 1 20000; echo end; sleep 1000"
    tmux_server.new_session("web", command)
    await Watch(backend, WEB).shows("ready")
    following = asyncio.create_task(lines(backend.follow(WEB, tail=5), last="end"))
    await backend.type(WEB, "")
    told = await following

    numbers = list(map(int, told[1:-1]))
    assert told[0] == "ready"
    assert numbers == sorted(set(numbers)), "in order and none twice"
    assert numbers[-90:] == list(range(19_911, 20_001)), "and the end is whole"


async def test_every_line_follows_at_a_human_pace(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    """The history is full all the time and loses a tenth again and again."""
    tmux_server.run("set-option", "-g", "history-limit", "50")
    count = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.005; done"
    tmux_server.new_session("web", count, height=6)
    told = await lines(backend.follow(WEB, tail=1), 300)

    first = int(told[0].removeprefix("line "))
    assert told == [f"line {number}" for number in range(first, first + 300)]


async def test_the_end_of_the_program_ends_the_log(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    ref = await backend.start(
        TmuxSpec(name="web", command="stty -echo; echo ready; read x; printf bye")
    )
    await Watch(backend, ref).shows("ready")
    following = asyncio.create_task(lines(backend.follow(ref)))
    await retry_until_async(lambda: _typed(backend, ref))

    assert await following == ["ready", "bye"]


async def _typed(backend: TmuxBackend, ref: Ref) -> bool:
    await backend.type(ref, "")
    return True


async def test_the_end_of_the_session_ends_the_log(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "echo ready; sleep 1000")
    await Watch(backend, WEB).shows("ready")
    following = asyncio.create_task(lines(backend.follow(WEB)))
    await backend.stop(WEB, grace=0)

    assert await following == ["ready"] or following.result() == []


async def test_a_full_screen_program_leaves_the_log_alone(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    full = "printf '\\033[?1049h\\033[Hfull screen'; sleep 0.5; printf '\\033[?1049l'"
    tmux_server.new_session("web", f"echo before; sleep 0.3; {full}; echo after; sleep 1000")

    assert await lines(backend.follow(WEB), 2) == ["before", "after"]


async def test_nobody_has_no_log(backend: TmuxBackend) -> None:
    with pytest.raises(NotFoundError):
        await lines(backend.follow(WEB))
