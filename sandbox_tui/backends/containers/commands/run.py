"""One command in a container as an `Execution`: its output passed on, its end made certain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sandbox_tui.backends.containers.commands.carrier import Carrier, Verdict
from sandbox_tui.backends.containers.commands.killing import kill_command, signal_command
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command, Inside
from sandbox_tui.runtime.execution import Execution

TRIES = 5
"""How often a command is ended: one that has only just begun may not be there to be found."""

END_SECONDS = 2.0
"""How long a result waits for its command to be gone; an engine may be frozen."""

STILL_THERE = "it may still run"


class Run:
    """Runs the code of its `execution`, and is the only one that writes it."""

    def __init__(
        self,
        link: Link,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        inside: Inside | None = None,
    ) -> None:
        self.execution = Execution(
            ref, code, cap=cap, keep=keep, on_cancel=self._cancel, on_signal=self._signal
        )
        self.inside = inside
        self.box = Box(ref, "", "")
        """The container, once that is known; for who begins it to say."""
        self._link = link
        self._timeout = timeout
        self._unwanted = asyncio.Event()
        self._silent = asyncio.Event()
        self._verdict: Verdict | None = None

    async def run(
        self, begin: Callable[[], Awaitable[Carrier]], begun: asyncio.Future[None]
    ) -> None:
        """Start it, tell `begun` so or why not, and carry it to its end."""
        try:
            carrier = await begin()
        except SandboxError as error:
            if not begun.done():
                begun.set_exception(error)
            return
        except asyncio.CancelledError:
            begun.cancel()
            raise
        self.execution.begin()
        if not begun.done():
            begun.set_result(None)
        await self._carry(carrier)

    def abandon(self) -> None:
        """Have it ended inside, whether or not it has begun."""
        self._unwanted.set()

    async def _cancel(self) -> None:
        self.abandon()
        await self.execution

    async def _signal(self, number: int) -> None:
        argv = signal_command(self.execution.id, number)
        await self._link.ask(lambda engine: engine.run(self.box, argv, self.inside))

    async def _carry(self, carrier: Carrier) -> None:
        """Pass on what it prints until it has ended; finishes the execution in any case."""
        watch = asyncio.create_task(self._watch(), name=f"watch {self.execution.id}")
        relay = asyncio.create_task(self._see_it_end(carrier), name=f"relay {self.execution.id}")
        try:
            await asyncio.wait((watch, relay), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            relay.cancel()
            await asyncio.gather(watch, relay, return_exceptions=True)
            await carrier.aclose()
            end = self._verdict or Verdict(Outcome.CANCELLED)
            self.execution.finish(end.outcome, exit_code=end.exit_code, detail=end.detail)

    async def _see_it_end(self, carrier: Carrier) -> None:
        try:
            async for texts in carrier.texts():
                for text in texts:
                    self.execution.feed(text)
                await self.execution.room()
            self._silent.set()
            self._verdict = self._verdict or await carrier.verdict()
        except SandboxError as error:
            self._verdict = self._verdict or Verdict(Outcome.DIED, None, error.message)
        finally:
            self._silent.set()

    async def _watch(self) -> None:
        """Wait until it is unwanted or late, then end it inside."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._unwanted.wait()
            outcome = Outcome.CANCELLED
        except TimeoutError:
            outcome = Outcome.TIMED_OUT
        self._verdict = self._verdict or Verdict(outcome)
        self.execution.let_go()
        ending = asyncio.ensure_future(self._end_inside())
        try:
            if not (await asyncio.wait((ending,), timeout=END_SECONDS))[0]:
                self.execution.finish(outcome, detail=STILL_THERE)
            await ending
        except SandboxError as error:
            self._verdict = Verdict(outcome, None, f"{STILL_THERE}: {error.message}")
        finally:
            ending.cancel()

    async def _end_inside(self) -> None:
        argv = kill_command(self.execution.id)
        for _ in range(TRIES):
            await self._link.ask(lambda engine: engine.run(self.box, argv, self.inside))
            try:
                async with asyncio.timeout(0.5):
                    await self._silent.wait()
                return
            except TimeoutError:
                continue
        if self._verdict is not None:
            self._verdict = self._verdict._replace(detail=STILL_THERE)
