"""A shell inside a container that stays between commands; see `runtime.session.Session`.

One task reads everything the shell prints and one runs the commands, in their order. What comes
before a command's mark on each stream is its own; what comes between commands, from something that
runs on in the background, is only told to who listens to the whole session.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.carrier import Verdict, verdict_of
from sandbox_tui.backends.containers.commands.killing import (
    TAG,
    abort_command,
    kill_command,
    signal_command,
)
from sandbox_tui.backends.containers.commands.marks import Mark, Marks, nonce
from sandbox_tui.backends.containers.commands.run import END_SECONDS, STILL_THERE, TRIES
from sandbox_tui.backends.containers.commands.shell import Shell, container_ended
from sandbox_tui.backends.containers.commands.turn import Turn
from sandbox_tui.backends.containers.engine.frames import Voice
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import (
    InvalidSpecError,
    SandboxError,
    SessionClosedError,
    UnsupportedError,
)
from sandbox_tui.model.outputs import OUTPUT_CAP, Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.kept import Kept
from sandbox_tui.runtime.pulse import Pulse

READY_SECONDS = 5.0

HEARD = 1024 * 1024
"""How much of all it prints is kept for slow listeners, in characters."""

_DOUBTFUL = (None, 137)
"""Exit codes of a shell that also stand for the end of its container."""


class ContainerSession:
    """One shell. Commands are told to it one at a time."""

    def __init__(self, link: Link, shell: Shell, session_id: str, begun: str, ready: Mark) -> None:
        self.id = session_id
        self._link = link
        self._shell = shell
        self._pid, *others = ready.details
        self._others = tuple(others)
        self._others_after = self._last = ""
        self._numbers = itertools.count(1)
        self._marks = {name: Marks(begun) for name in ("stdout", "stderr")}
        self._waiting: deque[Turn] = deque()
        self._present: Turn | None = None
        self._voices = {name: Voice(name) for name in self._marks}
        self._heard = Kept(HEARD, "tail")
        self._pulse = Pulse()
        self._over = False
        self._why = ""
        self._failure = ""
        self._told: list[Callable[[ContainerSession], None]] = []
        self._reading = asyncio.create_task(self._read(), name=f"read session in {self.ref}")
        self._working = asyncio.create_task(self._work(), name=f"session in {self.ref}")

    @classmethod
    async def open(cls, link: Link, box: Box) -> ContainerSession:
        """Start a shell. Raises `UnsupportedError` when the container has none."""
        session_id, begun = uuid.uuid4().hex, nonce()
        shell = await Shell.open(link, box, scripts.SESSION, {TAG: session_id})
        try:
            await shell.send(scripts.session_setup(begun))
            ready = await shell.answer(begun, READY_SECONDS)
        except BaseException:
            await shell.aclose()
            raise
        if ready is None:
            await shell.aclose()
            raise UnsupportedError(box.ref, "keep a shell open", hint="Use an image that has sh.")
        return cls(link, shell, session_id, begun, ready)

    @property
    def ref(self) -> Ref:
        """See `Session.ref`."""
        return self._shell.box.ref

    @property
    def is_open(self) -> bool:
        """See `Session.is_open`."""
        return not self._why and not self._over

    async def run(
        self, command: str, *, timeout: float | None = None, cap: int = OUTPUT_CAP
    ) -> Execution:
        """See `Session.run`."""
        if not self.is_open:
            raise SessionClosedError(self.ref, self._why)
        if "\0" in command:
            raise InvalidSpecError("command", "it has a NUL")
        number, changed = str(next(self._numbers)), self._pulse.fire
        turn = Turn(
            number, self.ref, command, timeout, cap, on_signal=self._signal, changed=changed
        )
        self._waiting.append(turn)
        self._pulse.fire()
        return turn.execution

    async def outputs(self) -> AsyncGenerator[Text]:
        """See `Session.outputs`."""
        position = self._heard.end
        while True:
            position = max(position, self._heard.first)
            for output in self._heard.since(position):
                position += 1
                if isinstance(output, Text):
                    yield output
            if position >= self._heard.end:
                if self._over:
                    return
                await self._pulse.wait()

    def when_ended(self, tell: Callable[[ContainerSession], None]) -> None:
        """Call `tell` with it at its end."""
        self._told.append(tell)

    async def aclose(self) -> None:
        """See `Session.aclose`."""
        self._why = self._why or "it was closed"
        if not self._over:
            with contextlib.suppress(SandboxError):  # then it has ended with its container
                await self._order(kill_command(self.id))
        await self._shell.aclose()
        await asyncio.wait((self._reading, self._working))

    # --- what it prints -------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while (runs := await self._shell.read()) is not None:
                for stream, data in runs:
                    self._take(stream, data)
                if self._present is not None:
                    await self._present.execution.room()
        except SandboxError as error:
            self._failure = error.message
        finally:
            self._over = True
            self._pulse.fire()

    def _take(self, stream: str, data: bytes) -> None:
        for piece in self._marks[stream].feed(data):
            turn = self._present
            if isinstance(piece, Mark):
                self._note(turn, stream, piece)
            else:
                said = turn.own(stream, piece) if turn else piece
                self._say(turn, stream, self._voices[stream].text(said))

    def _note(self, turn: Turn | None, stream: str, mark: Mark) -> None:
        """The end of a command on one stream, or what ran when it had ended."""
        number = mark.details[0] if mark.details else ""
        if mark.word == "others":
            self._others_after, self._others = number, mark.details[1:]
            self._pulse.fire()
        elif turn is not None and turn.number == number:
            self._say(turn, stream, self._voices[stream].text(b"", final=True))
            turn.note(stream, mark)

    def _say(self, turn: Turn | None, stream: str, text: Text) -> None:
        if not text.text:
            return
        self._heard.add(text)
        if turn is not None and stream not in turn.ends:
            turn.execution.feed(text)
        self._pulse.fire()

    # --- what it runs ---------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while await self._next():
                await self._carry(self._waiting.popleft())
        finally:
            self._why = self._why or "its shell has exited"
            for turn in self._waiting:
                turn.execution.finish(Outcome.DIED, detail=f"not run: {self._why}")
            for tell in self._told:
                tell(self)

    async def _next(self) -> bool:
        """Wait for a command; false when there will be none."""
        while not self._waiting and not self._over:
            await self._pulse.wait()
        return not self._over

    async def _carry(self, turn: Turn) -> None:
        execution, end = turn.execution, Verdict(Outcome.CANCELLED)
        if turn.is_unwanted:
            execution.finish(Outcome.CANCELLED)
            return
        self._present = turn
        execution.begin()
        try:
            await self._shell.send(scripts.command(turn.number, nonce(), execution.code))
            outcome = await self._wait_for(turn)
            end = Verdict(outcome) if outcome else await self._verdict(turn)
            if outcome:
                await self._abort(turn, outcome)
        except SandboxError as error:
            end = Verdict(end.outcome if end.detail else Outcome.DIED, None, error.message)
        finally:
            self._present, self._last = None, turn.number
            execution.finish(end.outcome, exit_code=end.exit_code, detail=end.detail)

    async def _wait_for(self, turn: Turn) -> Outcome | None:
        """How it is to be ended; `None` when it has ended, or the shell with it."""
        try:
            async with asyncio.timeout(turn.timeout):
                while not (turn.is_done or turn.is_unwanted or self._over):
                    await self._pulse.wait()
        except TimeoutError:
            return None if turn.is_done else Outcome.TIMED_OUT
        return Outcome.CANCELLED if turn.is_unwanted and not turn.is_done else None

    async def _verdict(self, turn: Turn) -> Verdict:
        if turn.is_done:
            return verdict_of(turn.exit_code)
        if self._failure:
            return Verdict(Outcome.DIED, None, self._failure)
        code = await self._shell.exit_code()
        if code in _DOUBTFUL and await container_ended(self._link, self._shell.box):
            return Verdict(Outcome.DIED, code, "the container ended")
        return verdict_of(code) if code is not None else Verdict(Outcome.DIED)

    async def _abort(self, turn: Turn, outcome: Outcome) -> None:
        turn.execution.let_go()
        ending = asyncio.ensure_future(self._end_inside(turn))
        try:
            if not (await asyncio.wait((ending,), timeout=END_SECONDS))[0]:
                turn.execution.finish(outcome, detail=STILL_THERE)
            await ending
        finally:
            ending.cancel()

    async def _end_inside(self, turn: Turn) -> None:
        """End what it started; when the shell does not come back from it, the shell too."""
        for _ in range(TRIES):
            await self._order(abort_command(self.id, self._pid, await self._spared()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while not (turn.is_done or self._over):
                        await self._pulse.wait()
            if turn.is_done or self._over:
                return
        self._why = "a command in it could not be ended otherwise"
        await self._order(kill_command(self.id))

    async def _signal(self, turn: Turn, number: int) -> None:
        if turn is self._present:
            spared = await self._spared()
            await self._order(signal_command(self.id, number, self._pid, spared))

    async def _spared(self) -> tuple[str, ...]:
        """What ran before the present command; it is told a moment after the last one's end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while self._others_after != self._last and not self._over:
                    await self._pulse.wait()
        return self._others

    async def _order(self, argv: list[str]) -> None:
        await self._link.ask(lambda engine: engine.run(self._shell.box, argv))
