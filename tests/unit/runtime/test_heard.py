"""What a shell prints: by position, as it comes, and no more of it than is kept."""

from __future__ import annotations

import asyncio

from sandbox_tui.model.outputs import Text
from sandbox_tui.runtime.heard import HEARD, Heard


def said(*words: str) -> Heard:
    heard = Heard()
    for word in words:
        heard.add(Text("stdout", word))
    return heard


async def rest(heard: Heard, position: int) -> list[str]:
    return [text.text async for text in heard.texts(position)]


def test_each_reader_has_a_position_of_its_own() -> None:
    heard = said("a", "b")
    middle = heard.end
    heard.add(Text("stderr", "c"))

    assert [text.text for text in heard.since(0)] == ["a", "b", "c"]
    assert [text.text for text in heard.since(middle)] == ["c"]
    assert heard.since(heard.end) == []


async def test_what_comes_is_read_until_the_end() -> None:
    heard = said("before", "a")
    reading = asyncio.ensure_future(rest(heard, 1))
    await asyncio.sleep(0)
    heard.add(Text("stdout", "b"))
    await asyncio.sleep(0)
    heard.add(Text("stdout", "c"))
    heard.close()

    assert await asyncio.wait_for(reading, 5) == ["a", "b", "c"]
    assert await rest(heard, 0) == ["before", "a", "b", "c"]


async def test_a_slow_reader_loses_the_oldest() -> None:
    heard = said("first")
    for _ in range(3):
        heard.add(Text("stdout", "x" * HEARD))
    heard.add(Text("stdout", "last"))
    heard.close()

    pieces = await rest(heard, 0)
    assert pieces[0] != "first"
    assert pieces[-1] == "last"
    assert HEARD // 2 < sum(map(len, pieces)) < 2 * HEARD
