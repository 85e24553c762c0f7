"""What was run in a kernel and what that said, as one text: every cell, every client, in order."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable

from sandbox_tui.backends.kernels.messages import Began, Event, Updated, pieces, plain
from sandbox_tui.model.outputs import Display, Failure, Text
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring

CAP = 2 * 1024 * 1024
"""Characters that are kept."""


class Journal:
    """A bounded text that readers follow at their own pace; a slow one skips what was dropped."""

    def __init__(self, cap: int = CAP) -> None:
        self._said: Ring[Text] = Ring(cap, lambda text: len(text.text))
        self._pulse = Pulse()
        self._count = 0
        self._ended = False

    def hear(self, event: Event) -> None:
        """Write down what a kernel said."""
        match event:
            case Began():
                self._count = event.execution_count
                self._say("stdout", _echo(event))
            case Text():
                self._say(event.stream, event.text)
            case Display():
                mark = "" if event.execution_count is None else f"Out[{event.execution_count}]: "
                self._say("stdout", f"{mark}{plain(event)}\n")
            case Updated():
                self._say("stdout", f"{plain(event.display)}\n")
            case Failure():
                self._say("stderr", f"{plain(event)}\n")
            case _:
                pass  # a journal forgets nothing that was shown

    def note(self, text: str) -> None:
        """Write down what happened to the kernel itself."""
        self._say("stderr", f"{text}\n")

    def end(self) -> None:
        """Nothing more will be said: followers finish."""
        self._ended = True
        self._pulse.fire()

    async def follow(
        self, tail: int, *, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Text]:
        """The last `tail` lines, then (`live`) everything new until the room is gone."""
        position = self._said.end
        for text in _last_lines(self._said.slice(0), tail):
            if since is None or (text.at or 0.0) >= since:
                yield text
        while live and not (self._ended and position >= self._said.end):
            fresh = self._said.slice(position)
            position = self._said.end
            for text in fresh:
                yield text
            if position >= self._said.end and not self._ended:
                await self._pulse.wait()

    def _say(self, stream: str, text: str) -> None:
        now = time.time()
        self._said.extend(Text(stream, piece.text, now) for piece in pieces(stream, text))
        self._pulse.fire()


def _echo(began: Began) -> str:
    """Code as an IPython prompt shows it."""
    prompt = f"In [{began.execution_count}]: "
    more = "...: ".rjust(len(prompt))
    return prompt + began.code.rstrip("\n").replace("\n", f"\n{more}") + "\n"


def _last_lines(texts: list[Text], count: int) -> Iterable[Text]:
    """The texts that hold the last `count` lines, the first of them cut to its part of these."""
    chosen: list[Text] = []
    wanted = count
    for text in reversed(texts):
        if wanted <= 0:
            break
        # The newline at the very end closes the last line and begins none.
        body = text.text if chosen or not text.text.endswith("\n") else text.text[:-1]
        breaks = body.count("\n")
        if breaks >= wanted:
            kept = text.text[_start_of(body, wanted) :]
            if kept:
                chosen.append(Text(text.stream, kept, text.at))
            break
        wanted -= breaks
        chosen.append(text)
    return reversed(chosen)


def _start_of(body: str, lines: int) -> int:
    """Where the last `lines` lines of `body` begin."""
    place = len(body)
    for _ in range(lines):
        place = body.rfind("\n", 0, place)
    return place + 1
