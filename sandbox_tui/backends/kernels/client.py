"""A conversation with one kernel, whoever started it: run code, know whether it is busy.

Messages are told apart by the request that caused them, never by when they come. What a kernel
says before it is ready, or about nobody's request, belongs to no run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from sandbox_tui.backends.kernels import messages
from sandbox_tui.backends.kernels.channels import OpenChannels
from sandbox_tui.backends.kernels.messages import Began, Event, KernelInfo, Message
from sandbox_tui.backends.kernels.run import Asked, Run
from sandbox_tui.backends.kernels.wire import unpack
from sandbox_tui.model.outputs import Failure, Outcome, Result
from sandbox_tui.model.room import Completion
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

ASK_EVERY = 0.3
"""Seconds between two questions to a kernel that has not answered yet."""

NUDGE_AFTER = 0.05
"""Seconds between an interrupt and the question that makes a kernel look at it."""

TAKE_UP = 0.3
"""Seconds an interrupt waits for code on its way: before the code runs it would be lost."""

ON_ITS_WAY = 0.02
"""Seconds from when a kernel has repeated some code to when the code itself runs."""

CHASE_AFTER = 1.0
"""Seconds after which a missing half of a run's end is looked for."""

UNHEARD_OF = 5.0
"""Seconds, doubled each time, after which code that has not begun is looked for."""

COMPLETES = 10.0
"""Seconds that a completion is waited for: a person types on."""

PROMPT = "ipython"
"""The kernel that is known to say that it is idle after everything that it prints."""

LAST_CHANCE = 5.0
"""Seconds that code which ran out of time has to react to the interrupt."""

NEVER_CAME = "it never came to the kernel, which was started anew meanwhile"

GAP = "some of its last output was lost: it came faster than it could be read"

_ANEW = {
    "starting": "the kernel was started anew",
    "restarting": "the kernel died, and is started anew",
    "dead": "the kernel died",
}
"""States after which nothing is heard of what ran before; servers tell of the last two."""

KEPT = 16
"""How many ended runs, and how many questions, are remembered: threads may still say something."""


class Listener(Protocol):
    """Who is told what a kernel does; called on the loop, and never waited for."""

    def heard(self, execution: Execution | None, event: Event) -> None:
        """Something was said: by a run of ours, or (`None`) by somebody else's."""
        ...

    def changed(self) -> None:
        """Whether it is busy, alive, or how far it counted may have changed."""
        ...


class KernelClient:
    """Speaks with one kernel; `interrupt` is how code that runs out of time is ended."""

    def __init__(
        self,
        channels: OpenChannels,
        listener: Listener,
        interrupt: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.info: KernelInfo | None = None
        self.execution_count = 0
        self.busy_since: float | None = None
        self._listener = listener
        self._interrupt = interrupt or self.interrupt
        self._runs: dict[str, Run] = {}
        self._questions: dict[str, int] = {}
        self._completions: dict[str, asyncio.Future[Message]] = {}
        self._elsewhere: set[str] = set()
        self._sent = 0
        self._told = (True, 0)
        self._closed = False
        self._listening = False
        self._pulse = Pulse()
        self._wire = channels(self._receive)

    @property
    def busy(self) -> bool:
        """Whether it runs code, ours or another's; also until it has answered once."""
        ours = any(run.begun.is_set() and not run.idle for run in self._runs.values())
        return ours or self.info is None or bool(self._elsewhere)

    @property
    def running(self) -> list[Run]:
        """What was sent and has not ended, oldest first."""
        return [run for run in self._runs.values() if not run.ended.is_set()]

    async def ready(self, timeout: float) -> bool:
        """Whether it answers and is heard, asking for at most `timeout` seconds."""
        until = time.monotonic() + timeout
        while not self._is_ready() and time.monotonic() < until:
            self.ask()
            await self._until(self._is_ready, ASK_EVERY)
        return self._is_ready()

    async def run(
        self,
        execution: Execution,
        *,
        timeout: float | None = None,
        on_input: Asked | None = None,
        silent: bool = False,
    ) -> Result:
        """Run the code of `execution`; after `timeout` seconds of running it is interrupted.

        It waits its turn in the kernel's own queue for as long as that takes. Without `on_input`
        code that asks a question fails at once. What is run `silent` is not counted or told.
        """
        if self._closed:
            return execution.finish(Outcome.CANCELLED, detail="the conversation is over")
        run = self._send(execution, on_input, silent=silent)
        patience = UNHEARD_OF
        while not await _within(run.begun, patience):
            self.ask()
            patience *= 2
        if not await _within(run.ended, timeout):
            run.verdict = Outcome.TIMED_OUT
            await self._interrupt()
            if not await _within(run.ended, LAST_CHANCE):
                detail = "still running: the interrupt had no effect"
                run.finish(Outcome.TIMED_OUT, detail=detail)
        self._listener.changed()
        return run.execution.finish(Outcome.OK)

    async def taken_up(self, timeout: float) -> None:
        """Wait until what was sent has reached the code, at most `timeout` seconds."""
        await self._until(lambda: all(run.taken_up_at for run in self.running), timeout)
        latest = max((run.taken_up_at or 0.0 for run in self.running), default=0.0)
        await asyncio.sleep(latest + ON_ITS_WAY - time.monotonic())

    async def quiet(self, timeout: float) -> bool:
        """Whether it is idle, waiting for that at most `timeout` seconds."""
        return await self._until(lambda: not self.busy, timeout)

    def ask(self) -> None:
        """Ask a question that costs nothing; it also wakes a kernel from a lone `await`."""
        if not self._closed:
            message_id = self._wire.send("shell", "kernel_info_request", {})
            self._questions[message_id] = self._number()
            for old in list(self._questions)[:-KEPT]:
                del self._questions[old]

    async def complete(self, code: str, cursor: int) -> Completion:
        """What may stand at `cursor` in `code`; nothing when there is no answer in time.

        A kernel answers between two runs only.
        """
        if self._closed:
            return Completion()
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        content: dict[str, object] = {"code": code, "cursor_pos": cursor}
        asked = self._wire.send("shell", "complete_request", content)
        self._completions[asked] = answer
        try:
            async with asyncio.timeout(COMPLETES):
                return messages.completion(unpack(await answer))
        except TimeoutError:
            return Completion()
        finally:
            self._completions.pop(asked, None)

    async def interrupt(self) -> None:
        """End what runs by asking the kernel to interrupt itself."""
        await self.taken_up(TAKE_UP)
        self.cancel()
        await self.request_interrupt()

    async def request_interrupt(self) -> None:
        """Ask it to interrupt itself, where a signal cannot be sent."""
        if not self._closed:
            await self._wire.interrupt()
        await self.nudge()

    async def nudge(self) -> None:
        """Wake a kernel that only awaits, so that it sees that it was interrupted."""
        await asyncio.sleep(NUDGE_AFTER)
        self.ask()

    def cancel(self) -> None:
        """Whatever runs now and fails from here on was cancelled."""
        for run in self.running:
            if run.begun.is_set():
                run.verdict = run.verdict or Outcome.CANCELLED

    def lose(self, outcome: Outcome, *, exit_code: int | None = None, detail: str = "") -> None:
        """End every run: nothing more will be heard of them."""
        for run in self.running:
            run.finish(outcome, exit_code=exit_code, detail=detail)

    async def close(self) -> None:
        """Hang up; the kernel goes on."""
        self._closed = True
        await self._wire.close()

    def _send(self, execution: Execution, on_input: Asked | None, *, silent: bool) -> Run:
        tardy = self.info is not None and self.info.implementation != PROMPT
        run = Run(self._number(), execution, self._listener.heard, on_input, tardy=tardy)
        content: dict[str, object] = {
            "code": execution.code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": on_input is not None and self._wire.can_ask,
            "stop_on_error": False,
        }
        self._runs[self._wire.send("shell", "execute_request", content)] = run
        for message_id, old in list(self._runs.items())[:-KEPT]:
            if old.ended.is_set():
                del self._runs[message_id]
        return run

    def _receive(self, message: Message) -> None:
        if message.channel == "iopub":
            self._on_iopub(message)
        elif message.kind == "execute_reply":
            self._on_reply(message)
        elif message.kind == "kernel_info_reply":
            self._on_info(message)
        elif message.kind == "complete_reply" and message.parent in self._completions:
            self._completions.pop(message.parent).set_result(message)
        elif message.kind == "input_request":
            self._on_question(message)
        self._pulse.fire()

    def _on_iopub(self, message: Message) -> None:
        if message.kind == "status":
            self._on_status(message.parent, messages.execution_state(unpack(message)))
        elif message.kind in messages.KINDS:
            event = messages.event(message.kind, unpack(message))
            self._on_event(message.parent, event)

    def _on_event(self, parent: str, event: Event) -> None:
        run = self._runs.get(parent)
        if isinstance(event, Began):
            self.execution_count = event.execution_count
            if run is None:
                self._elsewhere.add(parent)
            self._changed()
        if run is not None:
            run.hear(event)
        elif self._is_ready():
            self._listener.heard(None, event)

    def _on_status(self, parent: str, state: str) -> None:
        run = self._runs.get(parent)
        if state in _ANEW:
            self._begin_anew(_ANEW[state])
            return
        self._listening = True
        if run is not None and state == "busy":
            run.begin()
        elif run is not None and state == "idle":
            self._idle(run)
        elif state == "idle":
            self._idle_elsewhere(parent)
        self._changed()

    def _begin_anew(self, why: str) -> None:
        """The first word of a kernel; a second one means that its owner has restarted it."""
        if self._listening:
            self._elsewhere.clear()
            self.lose(Outcome.DIED, detail=why)

    def _idle(self, run: Run) -> None:
        run.idle = True
        run.settle()
        self._chase(run)

    def _idle_elsewhere(self, parent: str) -> None:
        """Another's run has ended, or a question is answered: then nothing before it runs on."""
        self._elsewhere.discard(parent)
        if parent in self._questions:
            self._elsewhere.clear()
        for run in self._before(parent):
            if run.outcome is not None:
                run.gap = "" if run.idle else GAP
                run.tardy = False
                self._idle(run)

    def _on_reply(self, message: Message) -> None:
        run = self._runs.get(message.parent)
        if run is None:
            return
        body = unpack(message)
        outcome, count = messages.outcome(body)
        failure = messages.failure(body) if outcome is Outcome.ERROR else None
        run.begin()
        run.reply(outcome, count, failure)
        self._chase(run)

    def _on_question(self, message: Message) -> None:
        run = self._runs.get(message.parent)
        if run is not None and run.on_input is not None:
            prompt, secret = messages.question(unpack(message))
            run.own(self._answer(run, run.on_input(prompt, secret)))

    async def _answer(self, run: Run, answer: Awaitable[str | None]) -> None:
        value = run.answered(await answer)
        if not self._closed:
            self._wire.send("stdin", "input_reply", {"value": value})

    def _on_info(self, message: Message) -> None:
        if self.info is None:
            self.info = messages.introduction(unpack(message))
            self._changed()
        for run in self._before(message.parent):
            if not run.begun.is_set():
                run.finish(Outcome.DIED, detail=NEVER_CAME)
            elif run.idle and not run.is_whole:  # an interrupt met the kernel before the code
                met = Failure("KeyboardInterrupt", "") if run.verdict else None
                run.reply(Outcome.CANCELLED, None, met)

    def _before(self, question: str) -> list[Run]:
        """The runs sent before that question: each channel tells of them first, or never."""
        order = self._questions.get(question, 0)
        return [run for run in self.running if run.order < order]

    def _chase(self, run: Run) -> None:
        """Half of the end is in. A kernel may lose the other half: a flood, an odd interrupt.

        When both are in and it goes on, its kernel is asked once, and does not answer before
        everything is said.
        """

        def ask_again() -> None:
            if not (run.ended.is_set() or self._closed):
                self.ask()
                self._chase(run)

        if run.is_whole and not run.ended.is_set():
            self.ask()
        if not run.ended.is_set():
            asyncio.get_running_loop().call_later(CHASE_AFTER, ask_again)

    def _changed(self) -> None:
        news = (self.busy, self.execution_count)
        if news == self._told:
            return
        if not news[0]:
            self.busy_since = None
        elif self.busy_since is None:
            self.busy_since = time.time()
        self._told = news
        self._listener.changed()

    def _number(self) -> int:
        self._sent += 1
        return self._sent

    def _is_ready(self) -> bool:
        return self.info is not None and self._listening

    async def _until(self, holds: Callable[[], bool], timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                while not holds():
                    await self._pulse.wait()
        except TimeoutError:
            return holds()
        return True


async def _within(event: asyncio.Event, timeout: float | None) -> bool:
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True
