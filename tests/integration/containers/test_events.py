"""The engine's events wake the poll, and cost nothing while nothing happens."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import pytest

from sandbox_tui.api.client import running
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import State
from tests.integration.containers.conftest import Outside, on_docker
from tests.integration.containers.peers import Answer, Forwarder, Peer, chunks, reply, silence
from tests.support import retry_until_async, stays


class Bell:
    """Counts how often it was rung, and when."""

    def __init__(self) -> None:
        self.rung: list[float] = []

    def __call__(self) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.rung.append(time.monotonic())

    async def next(self, since: int) -> float:
        await retry_until_async(lambda: len(self.rung) > since)
        return self.rung[since]


@pytest.fixture
async def bell(backend: ContainerBackend) -> Bell:
    bell = Bell()
    backend.listen(bell)
    await bell.next(0)
    return bell


@pytest.mark.parametrize(
    ("what", "states"),
    [
        ("stop", {State.EXITED, State.FAILED}),  # by its exit code: podman's init has another one
        ("kill", {State.FAILED}),
        ("pause", {State.PAUSED}),
        ("rename", {None}),
    ],
)
async def test_what_happens_outside_is_told_by_the_poll_that_it_wakes(
    backend: ContainerBackend, bell: Bell, outside: Outside, what: str, states: set[State | None]
) -> None:
    name = outside.run("sleep", "1000")
    told: list[State | None] = []

    async def poll_when_woken() -> None:
        seen = 0
        while True:
            await bell.next(seen)
            seen = len(bell.rung)
            boxes = {box.ref.name: box.state for box in await backend.poll()}
            told.append(boxes.get(name))

    async with asyncio.TaskGroup() as group:
        polling = group.create_task(poll_when_woken())
        await retry_until_async(lambda: State.RUNNING in told)
        arguments = [outside.name()] if what == "rename" else []
        await asyncio.to_thread(getattr(outside.client, what), name, *arguments)
        await retry_until_async(lambda: told[-1] in states)
        polling.cancel()


async def test_a_new_process_under_the_same_words_is_seen(
    backend: ContainerBackend, bell: Bell, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))

    async def pid() -> int | None:
        return next((box.pid for box in await backend.poll() if box.ref == ref), None)

    before = await retry_until_async(pid)
    await asyncio.to_thread(outside.client.restart, ref.name, timeout=1)

    async def is_another() -> bool:
        return await pid() not in (None, before)

    await retry_until_async(is_another)


async def test_commands_inside_wake_nobody(
    backend: ContainerBackend, bell: Bell, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))

    async def wakes_nobody() -> bool:
        before = len(bell.rung)
        for _ in range(3):
            await (await backend.execute(ref, "true"))
        await backend.inspect(ref)
        return await stays(lambda: len(bell.rung) == before, 0.3)

    # Others may use the same engine.
    await retry_until_async(wakes_nobody, timeout=20)


@on_docker
async def test_it_listens_again_when_the_engine_returns(
    forwarder: Forwarder, outside: Outside
) -> None:
    backend, bell = ContainerBackend(forwarder.url, patience=1), Bell()
    backend.listen(bell)
    await bell.next(0)
    forwarder.close()
    assert not (await backend.probe()).ok
    forwarder.listen()
    # What was missed meanwhile is one wake, too.
    await bell.next(1)

    before = len(bell.rung)
    outside.run("sleep", "1000")
    await bell.next(before)
    await backend.aclose()


@on_docker
async def test_closing_ends_the_thread_at_once(backend: ContainerBackend, bell: Bell) -> None:
    began = time.monotonic()
    await backend.aclose()

    assert time.monotonic() - began < 0.5

    def listeners() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name.startswith("events of")]

    await retry_until_async(lambda: not listeners())


@pytest.mark.parametrize(
    "answer", [chunks(b"not json\n"), reply(b"[]"), chunks(b"{", complete=False)]
)
async def test_an_engine_that_talks_nonsense_is_not_asked_without_end(
    peer: Callable[[dict[str, Answer]], Peer], answer: bytes
) -> None:
    engine = peer({"/events": answer})
    backend = ContainerBackend(engine.url, patience=1)
    backend.listen(lambda: None)

    def times() -> int:
        return len([path for path in engine.asked if path.endswith("/events")])

    await retry_until_async(lambda: times() >= 2)
    assert await stays(lambda: times() <= 6, 0.7)
    await backend.aclose()


async def test_while_events_are_heard_the_engine_is_asked_whether_it_answers_and_no_more(
    peer: Callable[[dict[str, Answer]], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def events(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        silence(connection)

    engine = peer({"/events": events, "/containers/json": reply(b"[]")})

    def asked(what: str) -> int:
        return len([path for path in engine.asked if path.endswith(what)])

    backend = ContainerBackend(engine.url, patience=1)
    hub = Hub((backend,), intervals={Kind.CONTAINER: 0.05})
    async with running(hub):
        await retry_until_async(lambda: asked("/events"))
        await retry_until_async(lambda: asked("/_ping") > 20)
        listed = asked("/json")
        assert listed <= 4
        await hub.refresh(backend.place)
        assert asked("/json") > listed
        monkeypatch.setattr("sandbox_tui.backends.containers.backend.HOLDS_SECONDS", 0.2)
        listed = asked("/json")
        await retry_until_async(lambda: asked("/json") > listed + 1)
    await backend.aclose()
