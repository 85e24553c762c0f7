"""What a page shows: one block per run, of which the latest state counts.

Readers ask for what changed since they last looked, so one that is slow skips and never queues.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from sandbox_tui.model.outputs import Display, Output, Text
from sandbox_tui.runtime.pulse import Pulse

MOST_BLOCKS = 200
"""Runs that are kept; the oldest go."""

MOST_OUTPUT = 8 * 1024 * 1024
"""Characters of output that are kept of one run; the oldest outputs go."""


MOST_TEXT = 256 * 1024
"""Characters of one text that are kept, the last ones."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what it is called and what it said."""

    id: str
    title: str
    outputs: tuple[Output, ...] = ()
    revision: int = 0


class Board:
    """Every block that is shown, and what they are called together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.revision = 0
        self.ended = False
        self._blocks: OrderedDict[str, Block] = OrderedDict()
        self._pulse = Pulse()

    def get(self, block_id: str) -> Block | None:
        """The block of that id."""
        return self._blocks.get(block_id)

    def put(self, block_id: str, title: str, outputs: Sequence[Output]) -> None:
        """Show a block, new or as it is now."""
        self.revision += 1
        kept = _kept(outputs)
        self._blocks[block_id] = Block(
            id=block_id, title=title, outputs=kept, revision=self.revision
        )
        while len(self._blocks) > MOST_BLOCKS:
            self._blocks.popitem(last=False)
        self._pulse.fire()

    def add(self, block_id: str, title: str, output: Output) -> None:
        """Show one more output of a block; pieces of one stream are joined."""
        block = self._blocks.get(block_id)
        outputs = block.outputs if block is not None else ()
        last = outputs[-1] if outputs else None
        if isinstance(last, Text) and isinstance(output, Text) and last.stream == output.stream:
            joined = Text(last.stream, (last.text + output.text)[-MOST_TEXT:])
            outputs = (*outputs[:-1], joined)
        else:
            outputs = (*outputs, output)
        self.put(block_id, title, outputs)

    def since(self, revision: int) -> list[Block]:
        """What changed after that revision, in the order of the runs."""
        return [block for block in self._blocks.values() if block.revision > revision]

    async def changed(self, revision: int, timeout: float) -> None:
        """Return when there is a newer revision, at the end, or after `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.revision == revision and not self.ended:
                    await self._pulse.wait()

    def end(self) -> None:
        """Nothing comes any more: readers finish."""
        self.ended = True
        self._pulse.fire()


def _kept(outputs: Sequence[Output]) -> tuple[Output, ...]:
    kept: list[Output] = []
    room = MOST_OUTPUT
    for output in reversed(outputs):
        room -= _weight(output)
        if room < 0 and kept:
            break
        kept.insert(0, output)
    return tuple(kept)


def _weight(output: Output) -> int:
    match output:
        case Text():
            return len(output.text)
        case Display():
            return sum(len(value) for value in output.data.values() if isinstance(value, str))
        case _:
            return 256
