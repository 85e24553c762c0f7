"""A client's link to servers that are not there, wrong, old, silent, or suddenly gone."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import NoneType

import msgspec
import pytest

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.errors import (
    DaemonUnavailableError,
    DaemonVersionError,
    NotFoundError,
    UsageError,
)
from sandbox_tui.model.world import World
from sandbox_tui.runtime import link as link_module
from sandbox_tui.runtime import wire
from sandbox_tui.runtime.faults import fault_of
from sandbox_tui.runtime.link import Link
from sandbox_tui.runtime.wire import (
    PROTOCOL,
    Ask,
    Channel,
    Done,
    Drop,
    Failed,
    Goodbye,
    Hello,
    HungUpError,
    Next,
    Part,
    Ping,
    Pong,
    ToServer,
)

HELLO = Hello(PROTOCOL, "9.9", 1)
Behaviour = Callable[[Channel[ToServer]], Awaitable[None]]


@asynccontextmanager
async def server(path: Path, behave: Behaviour) -> AsyncIterator[Path]:
    """Somebody who listens and behaves like that to each client."""

    async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = wire.server_channel(reader, writer)
        try:
            await behave(channel)
        except HungUpError:
            pass
        finally:
            await channel.close(0.2)

    listening = await asyncio.start_unix_server(host, path)
    async with listening:
        yield path


@pytest.fixture
def path(home: Path) -> Path:
    return home / "run" / "s"


async def opened(path: Path) -> Link:
    link = await Link.open(path)
    assert link is not None
    return link


async def greet(channel: Channel[ToServer]) -> None:
    channel.post(HELLO)
    assert isinstance(await channel.receive(), Hello)


async def ask_of(channel: Channel[ToServer]) -> Ask:
    while not isinstance(message := await channel.receive(), Ask):
        if isinstance(message, Ping):
            channel.post(Pong())
    return message


# --- connecting -----------------------------------------------------------------------------------


async def test_nobody_there_is_no_error(path: Path) -> None:
    assert await Link.open(path) is None


async def test_a_stale_socket_is_nobody(path: Path) -> None:
    listening = await asyncio.start_unix_server(lambda *_: None, path)
    listening.close()
    await listening.wait_closed()

    assert await asyncio.to_thread(path.exists)
    assert await Link.open(path) is None


async def test_a_path_that_no_socket_can_have_is_told(path: Path) -> None:
    with pytest.raises(DaemonUnavailableError, match="too long"):
        await Link.open(path.with_name("x" * 200))


async def test_the_other_end_says_who_it_is(path: Path) -> None:
    async with server(path, greet):
        link = await opened(path)
        assert link.theirs == HELLO
        await link.close()


async def test_another_protocol_is_told_with_both_versions(path: Path) -> None:
    async def newer(channel: Channel[ToServer]) -> None:
        channel.post(Hello(PROTOCOL + 1, "99.0", 1))
        await channel.receive()

    async with server(path, newer):
        with pytest.raises(DaemonVersionError, match=r"version 99\.0") as raised:
            await Link.open(path)
    assert "99.0" in raised.value.theirs
    assert f"protocol {PROTOCOL}" in raised.value.ours
    assert raised.value.hint == "Run: sandbox-tui daemon stop"


async def test_a_greeting_with_more_in_it_is_understood(path: Path) -> None:
    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = msgspec.msgpack.encode(["sandbox-tui", PROTOCOL + 1, "99.0", 1, "more", {"x": 1}])
        writer.write(struct.pack(">I", len(hello)) + hello)
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(later, path):
        with pytest.raises(DaemonVersionError):
            await Link.open(path)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x01\xc1"])
async def test_something_else_on_the_socket_is_told(path: Path, said: bytes) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(other, path):
        with pytest.raises(DaemonUnavailableError, match="no sandbox-tui daemon"):
            await Link.open(path)


async def test_who_says_nothing_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "GREETING", 0.1)

    async def silent(channel: Channel[ToServer]) -> None:
        await channel.receive()
        await channel.receive()

    async with server(path, silent):
        with pytest.raises(DaemonUnavailableError, match=r"0\.1 s"):
            await Link.open(path)


async def test_who_hangs_up_at_once_is_nobody(path: Path) -> None:
    async def rude(channel: Channel[ToServer]) -> None:
        return

    async with server(path, rude):
        assert await Link.open(path) is None


# --- talking --------------------------------------------------------------------------------------


async def test_answers_find_their_questions_in_any_order(path: Path) -> None:
    async def backwards(channel: Channel[ToServer]) -> None:
        await greet(channel)
        asked = [await ask_of(channel) for _ in range(5)]
        for ask in reversed(asked):
            channel.post(Done(ask.id, ask.body))
        await channel.receive()

    async with server(path, backwards):
        link = await opened(path)
        answers = await asyncio.gather(*(link.ask(number, int) for number in range(5)))
        assert answers == [0, 1, 2, 3, 4]
        await link.close()


async def test_a_failure_is_raised(path: Path) -> None:
    async def refuse(channel: Channel[ToServer]) -> None:
        await greet(channel)
        error = NotFoundError("wbe", ("tmux:web",))
        channel.post(Failed((await ask_of(channel)).id, fault_of(error)))
        await channel.receive()

    async with server(path, refuse):
        link = await opened(path)
        with pytest.raises(NotFoundError, match="wbe"):
            await link.ask("?", NoneType)
        assert link.lost is None
        await link.close()


async def test_an_answer_of_another_shape_is_an_error(path: Path) -> None:
    async def odd(channel: Channel[ToServer]) -> None:
        await greet(channel)
        channel.post(Done((await ask_of(channel)).id, to_msgpack("text")))
        await channel.receive()

    async with server(path, odd):
        link = await opened(path)
        with pytest.raises(DaemonUnavailableError, match="makes no sense"):
            await link.ask("?", int)
        await link.close()


async def test_a_stream_is_asked_for_part_by_part(path: Path) -> None:
    heard: list[ToServer] = []

    async def count(channel: Channel[ToServer]) -> None:
        await greet(channel)
        ask = await ask_of(channel)
        for number in range(3):
            channel.post(Part(ask.id, to_msgpack(number)))
            heard.append(await channel.receive())
        channel.post(Done(ask.id))
        await channel.receive()

    async with server(path, count):
        link = await opened(path)
        stream = link.stream("?", int)
        assert await anext(stream) == 0
        await asyncio.sleep(0.05)
        assert heard == []
        assert [number async for number in stream] == [1, 2]
        assert heard == [Next(1), Next(1), Next(1)]
        await link.close()


@pytest.mark.parametrize("kind", ["ask", "stream"])
async def test_who_stops_waiting_says_so(path: Path, kind: str) -> None:
    dropped: asyncio.Future[ToServer] = asyncio.get_running_loop().create_future()

    async def never(channel: Channel[ToServer]) -> None:
        await greet(channel)
        await ask_of(channel)
        dropped.set_result(await channel.receive())
        await channel.receive()

    async with server(path, never):
        link = await opened(path)
        waiting = link.ask("?", int) if kind == "ask" else anext(link.stream("?", int))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 0.05)
        assert await dropped == Drop(1)
        await link.close()


async def test_who_leaves_a_stream_says_so(path: Path) -> None:
    heard: list[ToServer] = []

    async def one(channel: Channel[ToServer]) -> None:
        await greet(channel)
        channel.post(Part((await ask_of(channel)).id, to_msgpack(1)))
        heard.append(await channel.receive())

    async with server(path, one):
        link = await opened(path)
        stream = link.stream("?", int)
        await anext(stream)
        await stream.aclose()
        await link.close()
    assert heard == [Drop(1)]


# --- losing it ------------------------------------------------------------------------------------


async def test_everybody_who_waits_is_told_why(path: Path) -> None:
    async def leave(channel: Channel[ToServer]) -> None:
        await greet(channel)
        for _ in range(3):
            await ask_of(channel)
        channel.post(Goodbye(fault_of(UsageError("enough", hint="Sleep."))))

    async with server(path, leave):
        link = await opened(path)
        waiting = [link.ask(1, int), link.ask(2, int), anext(link.stream(3, int))]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in errors] == [UsageError] * 3
        assert len({id(error) for error in errors}) == 3
        assert isinstance(link.lost, UsageError)
        with pytest.raises(UsageError, match="enough"):
            await link.ask(4, int)
        await link.close()


async def test_a_server_that_vanishes_is_told(path: Path) -> None:
    async def vanish(channel: Channel[ToServer]) -> None:
        await greet(channel)
        await ask_of(channel)

    async with server(path, vanish):
        link = await opened(path)
        with pytest.raises(DaemonUnavailableError, match="closed"):
            await link.ask(1, int)
        await link.close()


async def test_a_server_that_hangs_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "BEAT", 0.02)

    async def hang(channel: Channel[ToServer]) -> None:
        await greet(channel)
        await asyncio.sleep(5)

    async with server(path, hang):
        link = await opened(path)
        with pytest.raises(DaemonUnavailableError, match="did not answer"):
            await link.ask(1, int)
        await link.close()


async def test_a_server_that_reads_no_more_is_given_up_by_who_still_asks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "BEAT", 0.02)
    let_go = asyncio.Event()

    async def frozen(channel: Channel[ToServer]) -> None:
        await greet(channel)
        await let_go.wait()

    async with server(path, frozen):
        link = await opened(path)
        with pytest.raises(DaemonUnavailableError, match="did not answer"):
            await asyncio.wait_for(link.ask(bytes(8 * 2**20), int), 5)
        await link.close()
        let_go.set()


async def test_a_server_that_is_only_slow_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "BEAT", 0.02)

    async def slow(channel: Channel[ToServer]) -> None:
        await greet(channel)
        ask = await ask_of(channel)
        for _ in range(10):
            assert isinstance(await channel.receive(), Ping)
            channel.post(Pong())
        channel.post(Done(ask.id, to_msgpack(7)))
        await channel.receive()

    async with server(path, slow):
        link = await opened(path)
        assert await link.ask(1, int) == 7
        await link.close()


async def test_closing_ends_who_waits(path: Path) -> None:
    async def never(channel: Channel[ToServer]) -> None:
        await greet(channel)
        await ask_of(channel)
        await channel.receive()

    async with server(path, never):
        link = await opened(path)
        waiting = asyncio.ensure_future(link.ask(1, int))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(DaemonUnavailableError):
            await waiting


@pytest.mark.parametrize("end", ["nonsense", "the end"])
async def test_who_waits_for_worlds_is_told_when_no_more_come(path: Path, end: str) -> None:
    async def tell(channel: Channel[ToServer]) -> None:
        await greet(channel)
        channel.post(Done((await ask_of(channel)).id, to_msgpack(World(1))))
        number = (await ask_of(channel)).id
        channel.post(Part(number, to_msgpack("text")) if end == "nonsense" else Done(number))
        await channel.receive()

    async with server(path, tell):
        api = await RemoteApi.over(await opened(path))
        worlds = api.worlds(1)
        with pytest.raises(DaemonUnavailableError):
            await asyncio.wait_for(anext(worlds), 5)
        assert api.lost is not None
        await api.aclose()
