"""Clients that misbehave cost themselves, and nobody else."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from sandbox_tui.api import daemon
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.requests import Notebooks, Perform, Worlds
from sandbox_tui.model.actions import AddCell, Run, Start
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.wire import PROTOCOL, Ask, Failed, Goodbye, Hello, Message, Next, ToClient
from tests.support import retry_until_async

LAB = Ref("room:lab")
HELLO = Hello(PROTOCOL, "0", 1)
FLOOD = "for n in range(3000): print('x' * 1000)\n"


class Raw:
    """A client of bytes."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(DaemonHome.at().socket))

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.frame(msgspec.msgpack.encode(message))

    def frame(self, frame: bytes) -> None:
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def hear(self) -> ToClient | None:
        header = self._exactly(4)
        if header is None:
            return None
        [length] = struct.unpack(">I", header)
        frame = self._exactly(length)
        return msgspec.msgpack.decode(frame, type=ToClient) if frame else None

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            with suppress(ConnectionResetError):
                more = self.socket.recv(count - len(data))
                if more:
                    data += more
                    continue
            return None
        return data


@contextmanager
def raw() -> Iterator[Raw]:
    client = Raw()
    try:
        yield client
    finally:
        client.socket.close()


def heard_by(client: Raw) -> list[ToClient]:
    """Everything it is told until the daemon hangs up."""
    heard: list[ToClient] = []
    while (message := client.hear()) is not None:
        heard.append(message)
    return heard


async def works(api: RemoteApi) -> None:
    """An innocent client is served, and soon."""
    async with asyncio.timeout(5):
        result = await (await api.execute(LAB, "print('still here')"))
    assert result.stdout == "still here\n"


@pytest.fixture
async def innocent(api: RemoteApi) -> RemoteApi:
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    return api


def rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def daemon_pid() -> int:
    pid = (await daemon.status()).pid
    assert pid is not None
    return pid


WRONG = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "too long": b"\xff\xff\xff\xff",
    "empty frame": b"\0\0\0\0",
    "not msgpack": b"\0\0\0\x01\xc1",
    "a map": b"\0\0\0\x01\x80",
}


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_shape_ends_that_client_with_a_reason(
    innocent: RemoteApi, wrong: bytes, greeted: bool
) -> None:
    def misbehave() -> list[ToClient]:
        with raw() as client:
            if greeted:
                client.say(HELLO)
            client.socket.sendall(wrong)
            return heard_by(client)

    hello, goodbye = await asyncio.to_thread(misbehave)
    assert isinstance(hello, Hello)
    assert isinstance(goodbye, Goodbye)
    assert "not of this protocol" in goodbye.fault.message
    await works(innocent)


REQUESTS = {
    "no request": b"\xc1",
    "unknown": to_msgpack({"type": "Dance"}),
    "a field too many": to_msgpack(
        {"type": "Perform", "action": {"type": "Stop", "ref": "room:lab", "x": 1}}
    ),
    "no ref": to_msgpack({"type": "Inspect", "ref": "lab"}),
}


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_wrong_request_ends_that_client_with_a_reason(
    innocent: RemoteApi, body: bytes
) -> None:
    def misbehave() -> ToClient | None:
        with raw() as client:
            client.say(HELLO, Ask(1, body))
            client.hear()
            return client.hear()

    assert isinstance(await asyncio.to_thread(misbehave), Goodbye)
    await works(innocent)


async def test_random_bytes_harm_nobody(innocent: RemoteApi) -> None:
    chance = random.Random(3)

    def misbehave() -> None:
        for _ in range(60):
            with raw() as client, suppress(OSError):
                if chance.random() < 0.7:
                    client.say(HELLO)
                if chance.random() < 0.5:
                    client.frame(chance.randbytes(chance.randrange(200)))
                client.socket.sendall(chance.randbytes(chance.randrange(2000)))

    await asyncio.to_thread(misbehave)
    await works(innocent)


async def test_a_conversation_begun_twice_is_refused(innocent: RemoteApi) -> None:
    body = to_msgpack(Worlds())

    def misbehave() -> list[ToClient]:
        with raw() as client:
            client.say(HELLO, Ask(1, body), Ask(1, body))
            return heard_by(client)

    assert isinstance((await asyncio.to_thread(misbehave))[-1], Goodbye)
    await works(innocent)


async def test_a_client_that_never_reads_costs_nobody(innocent: RemoteApi) -> None:
    pid = await daemon_pid()
    flood = Perform(Run(ref=LAB, code=FLOOD))
    with raw() as client:
        client.socket.setblocking(False)
        before = rss(pid)
        with suppress(BlockingIOError):
            client.say(HELLO, Ask(1, to_msgpack(Notebooks(LAB))), Ask(2, to_msgpack(flood)))
            for number in range(3, 100_000):
                client.say(Ask(number, to_msgpack(Worlds())), Next(number))
        await works(innocent)
        begun = time.monotonic()
        await innocent.vitals([LAB])
        assert time.monotonic() - begun < 1
        assert rss(pid) - before < 100 * 2**20
    await works(innocent)


def spoken_to(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


async def test_a_frozen_client_costs_nobody_and_goes_on(innocent: RemoteApi, home: Path) -> None:
    program = f"""
import asyncio
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.refs import Ref

async def main():
    api = await RemoteApi.connect()
    execution = await api.execute(Ref({str(LAB)!r}), {FLOOD!r})
    print("ready", flush=True)
    result = await execution
    print(result.outcome, len(result.stdout), flush=True)
    await api.aclose()

asyncio.run(main())
"""
    client = await asyncio.to_thread(spoken_to, program)
    assert client.stdout is not None
    assert await asyncio.to_thread(client.stdout.readline) == "ready\n"
    client.send_signal(signal.SIGSTOP)
    async with asyncio.timeout(20):
        await (await innocent.execute(LAB, "1"))
    await works(innocent)
    client.send_signal(signal.SIGCONT)
    said, errors = await asyncio.to_thread(client.communicate, timeout=20)
    assert said == f"ok {3000 * 1001}\n", errors


async def test_a_client_that_vanishes_leaves_nothing(innocent: RemoteApi) -> None:
    pid = await daemon_pid()

    def descriptors() -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    await works(innocent)
    before = descriptors()
    for _ in range(30):
        with raw() as client:
            client.say(HELLO, Ask(1, to_msgpack(Worlds())), Ask(2, to_msgpack(Notebooks(LAB))))
            flood = Run(ref=LAB, code="print('x' * 100000)")
            client.say(Ask(3, to_msgpack(Perform(flood))))
    await works(innocent)
    await retry_until_async(lambda: descriptors() <= before)


async def test_an_action_of_a_client_that_vanished_is_done(innocent: RemoteApi) -> None:
    with raw() as client:
        action = AddCell(ref=LAB, source="last words")
        client.say(HELLO)
        assert isinstance(client.hear(), Hello)
        client.say(Ask(1, to_msgpack(Perform(action))))

    async def written() -> bool:
        notebook = await anext(innocent.notebooks(LAB))
        return [entry.cell.source for entry in notebook.cells] == ["last words"]

    await retry_until_async(written)


async def test_a_flood_does_not_hold_up_anything_else(innocent: RemoteApi) -> None:
    execution = await innocent.execute(LAB, FLOOD * 3)
    slowest = 0.0
    while execution.result is None:
        begun = time.monotonic()
        await innocent.settled()
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 0.5
    assert len((await execution).stdout) > 0


async def test_too_many_requests_at_once_are_refused_one_by_one(innocent: RemoteApi) -> None:
    body = to_msgpack(Worlds(10**9))

    def misbehave() -> ToClient | None:
        with raw() as client:
            client.say(HELLO, *(Ask(number, body) for number in range(1, 1100)))
            client.hear()
            return client.hear()

    refused = await asyncio.to_thread(misbehave)
    assert isinstance(refused, Failed)
    await works(innocent)
