"""What is there: listed cheaply, told truly, and however it is called."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.backends.tmux.sockets import live_sockets
from sandbox_tui.model.errors import BackendUnavailableError, ToolMissingError
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import TmuxSpec
from sandbox_tui.model.world import State, TmuxFacts
from tests.integration.tmux.conftest import somebody_at
from tests.support import TmuxServer, retry_until_async

STRANGE = (
    "[/red]x",
    "two words",
    " ",
    "ünï 漢字 🎉",
    "=%5",
    "@3",
    "-d",
    "#{pid}",
    "quo'te\"s",
    "a;b",
    "semicolon;",
    "~",
    "a*b?",
    "{last}",
    "100%H",
    "@work",
    "!",
)


def children() -> set[str]:
    """The processes that this one has started and that still run."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def pwned(*places: Path) -> list[Path]:
    """Where a text was run as a command."""
    return [place for place in places if (place / "pwned").exists()]


async def test_no_server_is_no_sessions_and_no_trouble(home: Path) -> None:
    backend = TmuxBackend()

    assert await backend.poll() == []
    health = await backend.probe()
    assert (health.ok, health.detail) == (True, "no server yet")
    await backend.aclose()


async def test_a_stale_socket_is_no_server(home: Path) -> None:
    backend = TmuxBackend()
    folder = home / "tmux" / f"tmux-{os.getuid()}"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "default"))

    assert await backend.poll() == []
    assert await backend.poll() == []
    await backend.aclose()


async def test_a_missing_tmux_says_how_to_get_it(home: Path) -> None:
    backend = TmuxBackend(binary="tmux-that-is-not-there")

    with pytest.raises(ToolMissingError) as missing:
        await backend.poll()
    health = await backend.probe()
    assert (health.ok, health.detail) == (False, "tmux-that-is-not-there is not installed")
    assert health.hint == missing.value.hint == "Run: apt install tmux"
    await backend.aclose()


async def test_a_server_that_may_not_be_asked_is_told(home: Path) -> None:
    # Root may ask everybody; a path that is too long for a socket refuses even root.
    backend = TmuxBackend("/root/tmux.sock" if os.getuid() else "/" + "x" * 200)

    with pytest.raises(BackendUnavailableError):
        await backend.poll()
    assert not (await backend.probe()).ok
    await backend.aclose()


async def test_a_session_of_somebody_else(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    session = tmux_server.new_session("web", "cd /; exec sleep 1000")
    (box,) = await retry_until_async(backend.poll)

    assert box.ref == Ref("tmux:web")
    assert box.state is State.RUNNING
    assert not box.managed
    assert box.pid == int(tmux_server.run("display-message", "-pt", "=web:", "#{pane_pid}"))

    async def settled() -> bool:
        (box,) = await backend.poll()
        assert isinstance(box.facts, TmuxFacts)
        assert (box.facts.session_id, box.facts.windows, box.facts.attached) == (session, 1, 0)
        return (box.facts.command, box.facts.path, box.title) == ("sleep", "/", "sleep")

    assert await retry_until_async(settled)
    assert (await backend.probe()).detail.endswith(" · control mode")


async def test_any_name_is_told_and_found(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    for name in STRANGE:
        escaped = re.sub(";$", r"\\;", name.replace("#", "##"))
        tmux_server.run("new-session", "-d", "-s", escaped, "sleep 1000")

    refs = {box.ref for box in await backend.poll()}
    assert refs == {Ref.make(Kind.TMUX, name) for name in STRANGE}
    for ref in refs:
        await backend.stop(ref, grace=0)
    assert await backend.poll() == []


async def test_folders_and_titles_cannot_forge_a_session(
    backend: TmuxBackend, tmux_server: TmuxServer, home: Path
) -> None:
    folder = home / "odd\n$9\t1\t1\n%end 1 2 1\n\udcff#(touch pwned)"
    folder.mkdir()
    title = "#(touch pwned) [/red] %H"
    named = f"printf '\\033]2;{title.replace('%', '%%')}\\033\\\\'"
    tmux_server.new_session("odd", f"cd {home}/odd*; {named}; exec sleep 1000")

    async def told() -> bool:
        (box,) = await backend.poll()
        assert isinstance(box.facts, TmuxFacts)
        odd = box.facts.path.startswith(f"{home}/odd\n$9\t1\t1\n%end 1 2 1\n")
        return odd and box.title == title

    assert await retry_until_async(told)
    assert not pwned(Path(), home, folder)


async def test_an_unchanged_listing_is_the_same_and_starts_no_process(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")

    async def settled() -> bool:
        return await backend.poll() is await backend.poll()

    assert await retry_until_async(settled)
    boxes, before = await backend.poll(), children()
    for _ in range(20):
        assert await backend.poll() is boxes
    assert children() == before


async def test_our_own_client_is_not_counted_and_disturbs_nothing(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", width=91, height=17)
    tmux_server.new_session("db")
    tmux_server.run("set-option", "-g", "update-environment", "NOT_YOURS")
    os.environ["NOT_YOURS"] = "taken over"
    await backend.poll()
    del os.environ["NOT_YOURS"]

    (client,) = tmux_server.run("list-clients", "-F", "#{client_flags}").splitlines()
    assert {"control-mode", "no-output", "ignore-size", "read-only"} <= {*client.split(",")}
    facts = [box.facts for box in await backend.poll()]
    assert all(isinstance(fact, TmuxFacts) and fact.attached == 0 for fact in facts)
    size = tmux_server.run("display-message", "-pt", "=web:", "#{window_width}x#{window_height}")
    assert size == "91x17"
    assert len(tmux_server.run("list-sessions").splitlines()) == 2
    for name in ("web", "db"):
        assert "taken over" not in tmux_server.run("show-environment", "-t", f"={name}")


async def test_whoever_looks_is_counted(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("web")

    async def attached() -> int:
        (box,) = await backend.poll()
        assert isinstance(box.facts, TmuxFacts)
        return box.facts.attached

    with somebody_at(tmux_server, "web"):
        assert await retry_until_async(attached) == 1


async def test_windows_and_panes_of_a_session(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-option", "-g", "remain-on-exit", "on")
    tmux_server.new_session("web", "sleep", "1000")
    tmux_server.run("new-window", "-t", "=web:", "exit 3")

    async def seen() -> bool:
        (box,) = await backend.poll()
        assert isinstance(box.facts, TmuxFacts)
        assert box.state is State.RUNNING
        return (box.facts.windows, box.facts.exit_code) == (2, 3)

    assert await retry_until_async(seen), "one pane has ended, another lives"
    tmux_server.run("kill-window", "-t", "=web:0")

    async def ended() -> bool:
        return (await backend.poll())[0].state is State.EXITED

    assert await retry_until_async(ended)


async def test_births_and_deaths_of_the_server(home: Path) -> None:
    woken = asyncio.Event()
    backend = TmuxBackend()
    backend.listen(woken.set)
    server = TmuxServer(home / "tmux")
    assert await backend.poll() == []
    for _ in range(3):
        server.start()
        assert await backend.poll() == []
        assert (await backend.probe()).detail == "no session yet"
        server.new_session("web", "sleep", "1000")
        assert [box.ref for box in await backend.poll()] == ["tmux:web"]
        woken.clear()
        server.kill()
        async with asyncio.timeout(5):
            await woken.wait()
        with pytest.raises(BackendUnavailableError, match="gone, and with it web"):
            await backend.poll()
        assert not (await backend.probe()).ok
    await backend.aclose()


async def test_a_server_that_ends_with_the_last_stopped_session_is_no_loss(
    lonely: TmuxBackend,
) -> None:
    for _ in range(2):
        ref = await lonely.start(TmuxSpec(name="web", command="sleep 1000"))
        assert [box.ref for box in await lonely.poll()] == [ref]
        await lonely.stop(ref, grace=0)
        assert await lonely.poll() == []
        assert (await lonely.probe()).ok


async def test_the_session_that_our_client_is_in_may_end(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    for number in range(3):
        tmux_server.new_session(f"s{number}", "sleep", "1000")
    for left in (2, 1, 0):
        assert len(await backend.poll()) == left + 1
        host = tmux_server.run("list-clients", "-F", "#{session_name}")
        tmux_server.run("kill-session", "-t", f"={host}")
    assert await backend.poll() == []


@pytest.mark.parametrize("change", ["new-session -ds x", "rename-session -t web x", "new-window"])
async def test_changes_wake_the_poll(
    backend: TmuxBackend, tmux_server: TmuxServer, change: str
) -> None:
    woken = asyncio.Event()
    backend.listen(woken.set)
    tmux_server.new_session("web", "sleep", "1000")
    await backend.poll()
    woken.clear()
    tmux_server.run(*change.split())

    async with asyncio.timeout(5):
        await woken.wait()


async def test_several_servers_side_by_side(
    tmux_servers: Callable[[str], TmuxServer], home: Path
) -> None:
    places = ["", "work", str(home / "run" / "by-path")]
    for place in ("default", "work"):
        tmux_servers(place).new_session("same", "sleep", "1000")
    by_path = TmuxServer(home / "run", "x")
    by_path.socket = home / "run" / "by-path"
    by_path.start()
    by_path.new_session("same", "sleep", "1000")
    try:
        backends = [TmuxBackend(place) for place in places]
        refs = [[box.ref for box in await backend.poll()] for backend in backends]
        for backend in backends:
            await backend.aclose()
    finally:
        by_path.kill()

    assert refs == [[Ref.make(Kind.TMUX, "same", place)] for place in places]
    assert [backend.place for backend in backends] == [Place(Kind.TMUX, p) for p in places]
    assert await asyncio.to_thread(live_sockets) == ["", "work"]
