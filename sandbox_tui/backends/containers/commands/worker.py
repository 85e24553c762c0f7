"""A shell inside that runs one program after the other, each as an exec of the engine would.

An exec costs the engine some 50 ms, a shell that is there already one or two. What a program
inherits is what the shell was given when the engine started it, and it gets a session, an input
and an exit code of its own. A shell is used again only when nothing that its last program started
could still write to its streams.

A program is first told and then confirmed: a shell that does not answer, in a container that is
frozen perhaps, is left with nothing to run when it wakes up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.carrier import Verdict, verdict_of
from sandbox_tui.backends.containers.commands.marks import Mark, Marks, nonce
from sandbox_tui.backends.containers.commands.shell import Shell, container_ended
from sandbox_tui.backends.containers.engine.frames import Voice
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.specs import Inside

LONGEST = 32 * 1024
"""Characters of a program, its arguments and variables; a shell reads more too slowly."""

READY_SECONDS = 3.0
ANSWER_SECONDS = 0.25
"""How long a shell may take to say that it has heard."""


class Worker:
    """One shell, and the program it carries; see `carrier.Carrier`."""

    def __init__(self, link: Link, shell: Shell, done: Callable[[Worker], None]) -> None:
        self._link = link
        self._shell = shell
        self._done = done
        self._marks: dict[str, Marks] = {}
        self._voices: dict[str, Voice] = {}
        self._ends: dict[str, Mark] = {}
        self._begun = 0

    @classmethod
    async def open(cls, link: Link, box: Box, done: Callable[[Worker], None]) -> Worker | None:
        """Start one; `None` when the image lacks what it needs. Raises `SandboxError`.

        `done` is called when it has carried a program to its end and can carry the next.
        """
        return await cls._of(link, await Shell.open(link, box, scripts.WORKER), done)

    @classmethod
    async def of_main(cls, link: Link, box: Box, done: Callable[[Worker], None]) -> Worker | None:
        """The same of the main process' own; `None` also where that cannot be."""
        shell = await Shell.of_main(link, box)
        return None if shell is None else await cls._of(link, shell, done)

    @classmethod
    async def _of(cls, link: Link, shell: Shell, done: Callable[[Worker], None]) -> Worker | None:
        try:
            begun = nonce()
            await shell.send(scripts.worker_setup(begun))
            if await shell.answer(begun, READY_SECONDS) is not None:
                return cls(link, shell, done)
        except BackendUnavailableError:
            await shell.aclose()  # it may have ended before it was told anything
            return None
        except BaseException:
            await shell.aclose()
            raise
        await shell.aclose()
        return None

    @property
    def is_alive(self) -> bool:
        """Whether it still is there, as far as is known."""
        return self._shell.is_alive

    @property
    def is_near(self) -> bool:
        """Whether what it carries ends with this program, at the latest when it says something."""
        return self._shell.is_near

    async def begin(self, argv: Sequence[str], tag: str, inside: Inside) -> bool:
        """Run a program; when it does not answer in time, nothing was and will be run."""
        begun = nonce()
        self._marks = {name: Marks(begun) for name in ("stdout", "stderr")}
        self._voices = {name: Voice(name) for name in self._marks}
        self._ends = {}
        try:
            if await self._is_at_hand(inside):
                await self._shell.send(scripts.program(begun, tag, argv, inside))
                if await self._shell.answer(begun, ANSWER_SECONDS) is not None:
                    await self._shell.send("\n")
                    return True
        except BackendUnavailableError:
            await self._shell.aclose()
            return False
        except BaseException:
            await self._shell.aclose()
            raise
        await self._shell.aclose()
        return False

    async def texts(self) -> AsyncGenerator[Sequence[Text]]:
        """See `Carrier.texts`."""
        while len(self._ends) < len(self._marks):
            runs = await self._shell.read()
            if runs is None:
                return
            said = [text for name, data in runs for text in self._take(name, data)]
            if texts := [text for text in said if text.text]:
                yield texts

    async def verdict(self) -> Verdict:
        """See `Carrier.verdict`."""
        if len(self._ends) == len(self._marks):
            return verdict_of(int(self._ends["stdout"].details[0]))
        if await container_ended(self._link, self._shell.box):
            return Verdict(Outcome.DIED, None, "the container ended")
        return Verdict(Outcome.DIED, None, "what carried it was killed inside")

    async def aclose(self) -> None:
        """Be used again; hang up in the middle of a program, or when something is left of it."""
        end = self._ends.get("stdout")
        if end is not None and len(end.details) == 1 and "stderr" in self._ends:
            self._done(self)
        else:
            await self.retire()

    async def _is_at_hand(self, inside: Inside) -> bool:
        """Whether it answers, if it has to; the first program waits for nothing."""
        self._begun += 1
        if self._begun > 1 and inside.held and not self.is_near:
            if not await self._shell.come_nearer(ANSWER_SECONDS):
                return False
            await self._shell.send(scripts.worker_streams())
        return True

    async def retire(self) -> None:
        """Hang up."""
        await self._shell.aclose()

    def _take(self, name: str, data: bytes) -> list[Text]:
        """The program's own output; what comes after its end is of others."""
        texts: list[Text] = []
        for piece in self._marks[name].feed(data):
            if isinstance(piece, Mark):
                self._ends[name] = piece
                texts.append(self._voices[name].text(b"", final=True))
            elif name not in self._ends:
                texts.append(self._voices[name].text(piece))
        return texts
