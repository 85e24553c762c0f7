"""The journal of a room."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.kernels.journal import Journal
from sandbox_tui.backends.kernels.messages import Began, Cleared, Updated
from sandbox_tui.model.outputs import Display, Failure, Text


async def pieces(journal: Journal, tail: int) -> list[str]:
    return [text.text async for text in journal.follow(tail, live=False)]


async def read(journal: Journal, tail: int = 1000, since: float | None = None) -> str:
    texts = journal.follow(tail, live=False, since=since)
    return "".join([text.text async for text in texts])


async def test_code_and_outputs_as_at_a_prompt() -> None:
    journal = Journal()
    journal.hear(Began("for i in 'ab':\n    print(i)\n", 12))
    journal.hear(Text("stdout", "a\nb\n"))
    journal.hear(Display({"text/plain": "7"}, {}, 12))
    journal.hear(Display({"text/plain": "<Figure>"}))
    journal.hear(Updated(Display({"text/plain": "<Other>"})))
    journal.hear(Cleared(False))
    journal.hear(Failure("E", "m"))
    journal.note("kernel died: exit code 3")
    assert await read(journal) == (
        "In [12]: for i in 'ab':\n    ...:     print(i)\na\nb\nOut[12]: 7\n<Figure>\n<Other>\n"
        "E: m\nkernel died: exit code 3\n"
    )


@given(st.lists(st.text(alphabet="ab\n", min_size=1, max_size=8)), st.integers(0, 12))
def test_the_last_lines_are_exactly_those(said: list[str], count: int) -> None:
    journal = Journal()
    for text in said:
        journal.hear(Text("stdout", text))
    whole = "".join(said)
    lines = whole.split("\n")
    if lines[-1] == "":
        lines.pop()
    wanted = "\n".join(lines[-count:]) if count else ""
    if wanted or count:
        wanted += "\n" if whole.endswith("\n") else ""
    assert asyncio.run(read(journal, count)) == wanted
    assert all(asyncio.run(pieces(journal, count)))


async def test_it_is_bounded() -> None:
    journal = Journal(cap=100)
    for number in range(1000):
        journal.hear(Text("stdout", f"{number}\n"))
    kept = await read(journal)
    assert kept.endswith("998\n999\n")
    assert len(kept) <= 100


async def test_a_follower_hears_the_rest_until_the_end() -> None:
    journal = Journal()
    journal.hear(Text("stdout", "old\n"))
    heard: list[str] = []

    async def follow() -> None:
        heard.extend([text.text async for text in journal.follow(10)])

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    journal.hear(Text("stdout", "new\n"))
    await asyncio.sleep(0)
    journal.hear(Text("stdout", "last\n"))
    journal.end()
    async with asyncio.timeout(1):
        await following
    assert heard == ["old\n", "new\n", "last\n"]


@pytest.mark.parametrize(("since", "wanted"), [(0.0, "a\n"), (9e12, "")])
async def test_since_when(since: float, wanted: str) -> None:
    journal = Journal()
    journal.hear(Text("stdout", "a\n"))
    assert await read(journal, since=since) == wanted
