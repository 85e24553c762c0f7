"""The log: exactly the last lines, in order, with their times, and on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import NotFoundError, OperationFailedError
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker
from tests.support import retry_until_async

COUNT = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done"


def ref_of(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


async def ended(outside: Outside, name: str) -> None:
    await retry_until_async(lambda: not outside.client.inspect_container(name)["State"]["Running"])


async def lines(backend: ContainerBackend, name: str, tail: int) -> list[str]:
    texts = [text async for text in backend.follow(ref_of(name), tail=tail, live=False)]
    return "".join(text.text for text in texts).splitlines()


async def collect(texts: AsyncIterator[Text], until: str) -> str:
    said = ""
    async with asyncio.timeout(10):
        async for text in texts:
            said += text.text
            if until in said:
                return said
    raise AssertionError(f"it ended after {said!r}")


@pytest.mark.parametrize("tty", [False, True])
async def test_exactly_the_last_lines(
    backend: ContainerBackend, outside: Outside, tty: bool
) -> None:
    name = outside.shell(f"{COUNT}; sleep 1000", Tty=tty)
    await retry_until_async(lambda: b"line 30" in outside.client.logs(name), what="all is logged")
    expected = [f"line {i}" for i in range(1, 31)]

    for tail in (0, 1, 7, 30, 500):
        told = await lines(backend, name, tail)
        assert told == expected[len(expected) - min(tail, 30) :]
    assert await lines(backend, name, -1) == expected


async def test_both_streams_with_their_times_also_of_an_ended_one(
    backend: ContainerBackend, outside: Outside
) -> None:
    began = time.time()
    name = outside.shell("echo out; sleep 0.1; echo err >&2; sleep 0.1; printf unfinished")
    await ended(outside, name)
    texts = [text async for text in backend.follow(ref_of(name))]

    assert [(text.stream, text.text) for text in texts] == [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("stdout", "unfinished"),
    ]
    # One engine stamps with whole seconds only.
    assert all(text.at and began - 1 <= text.at <= time.time() for text in texts)


@pytest.mark.parametrize("tty", [False, True])
async def test_long_lines_are_counted_once_and_shown_whole(
    backend: ContainerBackend, outside: Outside, tty: bool
) -> None:
    long = "head -c 50000 /dev/zero | tr '\\0' x; echo"
    name = outside.shell(f"{long}; {long}; echo a; {long}; echo b", Tty=tty)
    await ended(outside, name)

    assert [len(line) for line in await lines(backend, name, 2)] == [50000, 1]
    assert [len(line) for line in await lines(backend, name, 4)] == [50000, 1, 50000, 1]
    assert len(await lines(backend, name, 100)) == 5


@on_docker
async def test_colours_and_odd_bytes_are_kept(backend: ContainerBackend, outside: Outside) -> None:
    name = outside.shell(r"printf '\033[31mred\033[0m [/red] h\303\251 \377\n'")
    await ended(outside, name)

    assert await lines(backend, name, 9) == ["\x1b[31mred\x1b[0m [/red] hé \ufffd"]


async def test_what_is_said_later_comes_too_until_the_end(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.shell("echo before; sleep 0.6; echo after")
    texts = [text.text async for text in backend.follow(ref_of(name), tail=5)]

    assert texts == ["before\n", "after\n"]


@on_docker
async def test_a_line_is_there_at_once(backend: ContainerBackend, outside: Outside) -> None:
    name = outside.shell("while true; do echo tick; sleep 0.2; done")
    delays: list[float] = []
    async with aclosing(backend.follow(ref_of(name), tail=0)) as texts:
        async for text in texts:
            assert text.at is not None
            delays.append(time.time() - text.at)
            if len(delays) == 8:
                break

    assert sorted(delays)[len(delays) // 2] < 0.1


async def test_it_goes_on_after_a_restart(backend: ContainerBackend, outside: Outside) -> None:
    name = outside.shell("echo begun $(cat /count 2>/dev/null); echo x >>/count; sleep 1000")
    async with aclosing(backend.follow(ref_of(name))) as texts:
        await collect(texts, "begun")
        await backend.restart(ref_of(name), grace=1)
        said = await collect(texts, "begun x\n")

    # Podman's stream goes on by itself, and says nothing.
    assert f"[{name} started again]" in said or outside.engine.kind == "podman"
    assert said.count("begun x") == 1


@on_docker
async def test_only_what_is_not_older(backend: ContainerBackend, outside: Outside) -> None:
    name = outside.shell("echo old; sleep 1.2; echo new")
    await ended(outside, name)
    ref = ref_of(name)
    (old, new) = [text async for text in backend.follow(ref, live=False)]
    assert old.at is not None

    later = backend.follow(ref, live=False, since=old.at + 0.5)
    assert [text async for text in later] == [new]


@on_docker
async def test_a_slow_reader_holds_the_flood_back(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.shell("seq 1 50000; sleep 1000")
    texts = backend.follow(ref_of(name), tail=-1)
    async with aclosing(texts):
        assert (await anext(texts)).text == "1\n"
        await retry_until_async(lambda: outside.client.logs(name, tail=1) == b"50000\n")
        seen = 1
        async for text in texts:
            seen += 1
            assert text.text == f"{seen}\n"
            if seen == 50_000:
                break


@on_docker
async def test_nobody_reads_on_after_the_reader_has_gone(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.shell("echo hi; sleep 1000")
    async with aclosing(backend.follow(ref_of(name))) as texts:
        await anext(texts)

    def readers() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name.startswith("log of")]

    await retry_until_async(lambda: not readers())


@on_docker
async def test_a_log_that_cannot_be_read_says_why(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.run("sleep", "1000", host={"LogConfig": {"Type": "none"}})

    with pytest.raises(OperationFailedError, match="logging driver"):
        await lines(backend, name, 5)
    with pytest.raises(NotFoundError):
        await lines(backend, name[:-1], 5)
