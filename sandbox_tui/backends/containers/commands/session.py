"""A shell inside a container that stays between commands; see `runtime.session.Session`.

What comes before a command's mark on each stream is its own; what comes between commands, from
something that runs on in the background, is only told to who listens to the whole session.

A command is sent, and heard to its end, in the very callbacks of the loop: to wake a task for each
step would cost more than the shell takes. Tasks are for what has to wait: the end of a command that
is given up, a reader that is slow, the end of the shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.carrier import Verdict, verdict_of
from sandbox_tui.backends.containers.commands.killing import (
    abort_command,
    kill_command,
    signal_command,
)
from sandbox_tui.backends.containers.commands.marks import Mark, Marks, nonce
from sandbox_tui.backends.containers.commands.run import END_SECONDS, STILL_THERE, TRIES
from sandbox_tui.backends.containers.commands.shell import Shell, container_ended
from sandbox_tui.backends.containers.commands.traits import Traits
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
from sandbox_tui.runtime.heard import Heard
from sandbox_tui.runtime.pulse import Pulse

READY_SECONDS = 5.0

AFTERWARDS = 0.1
"""How long after the end of a command the shell may need to say which process is the newest."""

_DOUBTFUL = (None, 137)
"""Exit codes of a shell that also stand for the end of its container."""


class ContainerSession:
    """One shell. Commands are told to it one at a time."""

    def __init__(self, link: Link, shell: Shell, begun: str, ready: Mark) -> None:
        self.id = shell.tag
        self._link = link
        self._shell = shell
        self._traits = Traits.of(ready)
        self._numbers = itertools.count(1)
        self._marks = {name: Marks(begun) for name in ("stdout", "stderr")}
        self._waiting: deque[Turn] = deque()
        self._present: Turn | None = None
        self._voices = {name: Voice(name) for name in self._marks}
        self.heard = Heard()
        self._pulse = Pulse()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = self._over = False
        self._ended_at = 0.0
        self._why = ""
        self._failure = ""
        self._told: list[Callable[[ContainerSession], None]] = []
        shell.listen(self._hear)

    @classmethod
    async def open(cls, link: Link, box: Box) -> ContainerSession:
        """Start a shell. Raises `UnsupportedError` when the container has none."""
        begun = nonce()
        shell = await Shell.open(link, box, scripts.SESSION)
        try:
            ready = await _ready(shell, begun)
        except BaseException:
            await shell.aclose()
            raise
        if ready is None:
            await shell.aclose()
            raise UnsupportedError(box.ref, "keep a shell open", hint="Use an image that has sh.")
        return cls(link, shell, begun, ready)

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
        turn = Turn(
            str(next(self._numbers)),
            self.ref,
            command,
            timeout,
            cap,
            on_cancel=self._cancel,
            on_signal=self._signal,
        )
        self._waiting.append(turn)
        self._go_on()
        return turn.execution

    def outputs(self) -> AsyncIterator[Text]:
        """See `Session.outputs`."""
        return self.heard.texts(self.heard.end)

    def when_ended(self, tell: Callable[[ContainerSession], None]) -> None:
        """Call `tell` with it at its end."""
        self._told.append(tell)

    async def aclose(self) -> None:
        """See `Session.aclose`."""
        self._why = self._why or "it was closed"
        if self._present is not None:
            self._present.execution.let_go()
        if not self._over:
            with contextlib.suppress(SandboxError):  # then it has ended with its container
                await self._order(kill_command(self.id))
        await self._shell.aclose()
        while self._tasks:
            await asyncio.wait(self._tasks)

    # --- what it prints -------------------------------------------------------------------------

    def _hear(self) -> None:
        """Take what has come, as long as its reader has room."""
        try:
            while not self._held and (runs := self._shell.take()) is not None:
                for stream, data in runs:
                    self._take(stream, data)
                if self._present is not None and not self._present.execution.has_room:
                    self._held = True
                    self._do(self._wait_for_room(self._present))
        except SandboxError as error:
            self._failure = error.message
        if not self._over and self._shell.is_silent:
            self._over = True
            self._do(self._conclude())
            self._pulse.fire()
            self.heard.close()

    async def _wait_for_room(self, turn: Turn) -> None:
        await turn.execution.room()
        self._held = False
        self._hear()

    def _take(self, stream: str, data: bytes) -> None:
        for piece in self._marks[stream].feed(data):
            turn = self._present
            if isinstance(piece, Mark):
                self._note(turn, stream, piece)
            else:
                said = turn.own(stream, piece) if turn else piece
                self._say(turn, stream, self._voices[stream].text(said))

    def _note(self, turn: Turn | None, stream: str, mark: Mark) -> None:
        """The end of a command on one stream, or on both; it has ended with the second."""
        self._traits = self._traits.after(mark)
        if turn is None or mark.word != "end" or mark.details[:1] != (turn.number,):
            return
        for name in self._voices if self._shell.is_near else (stream,):
            rest = b"" if name == stream else turn.own(name, self._marks[name].rest())
            self._say(turn, name, self._voices[name].text(rest, final=True))
            turn.ends[name] = mark
        if turn.is_given_up:
            self._pulse.fire()
        elif turn.is_done:
            self._finish(turn, verdict_of(turn.exit_code))
            self._go_on()

    def _say(self, turn: Turn | None, stream: str, text: Text) -> None:
        if not text.text:
            return
        self.heard.add(text)
        if turn is not None and stream not in turn.ends:
            turn.execution.feed(text)

    # --- what it runs ---------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Begin what waits, unless something runs."""
        while self._present is None and self._waiting and not self._over:
            self._begin(self._waiting.popleft())

    def _begin(self, turn: Turn) -> None:
        self._present = turn
        turn.begin(self._give_up, traced=self._traits.traces)
        try:
            rest = self._shell.offer(self._traits.command(turn.number, turn.execution.code))
        except SandboxError as error:
            self._finish(turn, Verdict(Outcome.DIED, None, error.message))
        else:
            if rest:
                self._do(self._send(turn, rest))

    async def _send(self, turn: Turn, rest: bytes) -> None:
        """What of a long command was not taken at once."""
        try:
            await self._shell.send_bytes(rest)
        except SandboxError as error:
            self._finish(turn, Verdict(Outcome.DIED, None, error.message))
            self._go_on()

    def _finish(self, turn: Turn, end: Verdict) -> None:
        """Once for each; it then has nothing of the shell any more."""
        turn.forget()
        if self._present is turn:
            self._present = None
            self._ended_at = asyncio.get_running_loop().time()
        turn.execution.finish(end.outcome, exit_code=end.exit_code, detail=end.detail)

    async def _conclude(self) -> None:
        """Say how the shell has ended: to its command, to what waits, and to who asked for it."""
        try:
            if self._present is not None and not self._present.is_given_up:
                self._finish(self._present, await self._verdict())
        finally:
            self._why = self._why or "its shell has exited"
            for each in self._waiting:
                each.execution.finish(Outcome.DIED, detail=f"not run: {self._why}")
            for tell in self._told:
                tell(self)

    async def _verdict(self) -> Verdict:
        """Of a command with which the shell has ended."""
        if self._failure:
            return Verdict(Outcome.DIED, None, self._failure)
        try:
            code = await self._shell.exit_code()
            if code in _DOUBTFUL and await container_ended(self._link, self._shell.box):
                return Verdict(Outcome.DIED, code, "the container ended")
        except SandboxError as error:
            return Verdict(Outcome.DIED, None, error.message)
        return verdict_of(code) if code is not None else Verdict(Outcome.DIED)

    # --- what is given up -----------------------------------------------------------------------

    async def _cancel(self, turn: Turn) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
            self._finish(turn, Verdict(Outcome.CANCELLED))
        else:
            self._give_up(turn, Outcome.CANCELLED)
        await turn.execution

    def _give_up(self, turn: Turn, outcome: Outcome) -> None:
        if turn is self._present and not turn.is_given_up and not self._over:
            turn.is_given_up = True
            self._do(self._abort(turn, outcome))

    async def _abort(self, turn: Turn, outcome: Outcome) -> None:
        turn.execution.let_go()
        ending, end = asyncio.ensure_future(self._end_inside(turn)), Verdict(outcome)
        try:
            if not (await asyncio.wait((ending,), timeout=END_SECONDS))[0]:
                turn.execution.finish(outcome, detail=STILL_THERE)
            await ending
        except SandboxError as error:
            end = Verdict(Outcome.DIED, None, error.message)
        finally:
            ending.cancel()
            self._finish(turn, end)
            self._go_on()

    async def _end_inside(self, turn: Turn) -> None:
        """End what it started; when the shell does not come back from it, the shell too."""
        await self._know_the_newest()
        for _ in range(TRIES):
            await self._order(abort_command(self.id, self._traits.pid, self._traits.newest))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while not (turn.is_done or self._over):
                        await self._pulse.wait()
            if turn.is_done or self._over:
                return
        self._why = "a command in it could not be ended otherwise"
        await self._order(kill_command(self.id))

    async def _signal(self, turn: Turn, number: int) -> None:
        await self._know_the_newest()
        if turn is self._present:
            traits = self._traits
            await self._order(signal_command(self.id, number, traits.pid, traits.newest))

    async def _know_the_newest(self) -> None:
        passed = asyncio.get_running_loop().time() - self._ended_at
        await asyncio.sleep(max(0, AFTERWARDS - passed))

    async def _order(self, argv: list[str]) -> None:
        await self._link.ask(lambda engine: engine.run(self._shell.box, argv))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=f"session in {self.ref}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _ready(shell: Shell, begun: str) -> Mark | None:
    """Its mark `ready`; `None` when there is no shell."""
    if not await shell.come_nearer(READY_SECONDS):
        return None
    await shell.send(scripts.session_setup(begun, near=shell.is_near))
    return await shell.answer(begun, READY_SECONDS)
