"""Copies that take their time: each in a thread of its own pool, watched from the loop.

Bytes never touch the loop: the thread reads, packs and sends, and waits in the socket when the
other side is slow. It says now and then how far it is. The loop may stop it at any time by shutting
the connection under it, and asks the engine after every quiet while whether it still lives: an
engine that is frozen ends a copy, one that is only busy does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.model.errors import BackendUnavailableError, DeadlineError
from sandbox_tui.runtime.pool import Pool
from sandbox_tui.runtime.transfer import Progress, Transfer

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

AT_ONCE = 8
"""How many copies of one engine run at a time; more wait for their turn."""

FRAME = 0.05
"""Seconds between two words about how far a copy is."""

FOREVER = 365 * 86_400.0
STOP_SECONDS = 3.0
"""How long a stopped copy may take to clear away what it had begun."""


class StoppedError(Exception):
    """Nobody wants it any more."""


class Haul:
    """One copy as its thread sees it."""

    def __init__(self, transfer: Transfer) -> None:
        self.title = transfer.title
        self.last_word = time.monotonic()
        self._transfer = transfer
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._end: Callable[[], None] = _nothing
        self._said_at = 0.0
        self._done = 0
        self._total: int | None = None
        self._step = ""

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants it any more."""
        return self._stopped

    def held(self, end: Callable[[], None]) -> None:
        """Take `end` as what ends the connection that is used from now on."""
        self._end = end
        self.check()

    def stop(self) -> None:
        """From the loop: end it wherever it is."""
        self._stopped = True
        self._end()

    def check(self) -> None:
        """Raise `StoppedError` when it is unwanted."""
        if self._stopped:
            raise StoppedError

    def say(
        self, *, done: int | None = None, total: int | None = None, step: str | None = None
    ) -> None:
        """Tell how far it is; what is not given stays as it was."""
        self.check()
        self.last_word = time.monotonic()
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        self._step = self._step if step is None else step
        if self.last_word - self._said_at >= FRAME:
            self._post()

    def add(self, size: int) -> None:
        """So many bytes more are done."""
        self.say(done=self._done + size)

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, each counted when the next one is asked for."""
        for piece in pieces:
            yield piece
            self.add(len(piece))

    def finish(self) -> None:
        """Tell the last word."""
        self._post()

    def _post(self) -> None:
        self._said_at = self.last_word
        progress = Progress(self._done, self._total, self._step)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._loop.call_soon_threadsafe(self._transfer.advance, progress)


Work = Callable[["Engine", Haul], str]


class Hauls:
    """All copies of one engine."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._pool = Pool(f"{link.place} copies", AT_ONCE)
        self._running: set[asyncio.Task[str]] = set()

    def begin(self, title: str, work: Work, quiet: float = FOREVER) -> Transfer:
        """Do `work` in a thread; its answer is what awaiting the transfer gives.

        After so many `quiet` seconds without a word it fails with a `DeadlineError`.
        """
        transfer = Transfer(title)
        haul = Haul(transfer)
        task = asyncio.create_task(self._carry(haul, work, quiet), name=title)
        self._running.add(task)
        task.add_done_callback(self._forget)
        transfer.carry(task)
        return transfer

    async def aclose(self) -> None:
        """End them all."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._pool.close()

    async def _carry(self, haul: Haul, work: Work, quiet: float) -> str:
        running = asyncio.create_task(self._work(haul, work))
        try:
            while not (await asyncio.wait([running], timeout=self._link.patience))[0]:
                silence = time.monotonic() - haul.last_word
                if silence > quiet:
                    raise DeadlineError(haul.title, quiet)
                if silence > self._link.patience:
                    await self._link.ask(_ping)
            return await running
        except BaseException:
            haul.stop()
            await asyncio.wait([running], timeout=STOP_SECONDS)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            raise

    async def _work(self, haul: Haul, work: Work) -> str:
        def call(engine: Engine) -> str:
            haul.check()
            answer = work(engine, haul)
            haul.finish()
            return answer

        try:
            return await self._pool.run(FOREVER, self._link.call, call)
        except StoppedError:
            raise BackendUnavailableError(str(self._link.place), "the copy was stopped") from None

    def _forget(self, task: asyncio.Task[str]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever awaits the transfer is told; there may be nobody


def _ping(engine: Engine) -> None:
    engine.ping()


def _nothing() -> None:
    """There is no connection yet."""
