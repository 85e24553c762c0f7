"""The three kinds of the memory backend: terminals, containers and rooms."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from sandbox_tui.backends.memory import script
from sandbox_tui.backends.memory.base import MemoryBackend
from sandbox_tui.backends.memory.files import MemoryFiles
from sandbox_tui.backends.memory.session import MemorySession
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Screen
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Command, ContainerSpec, Inside, Spec, TmuxSpec
from sandbox_tui.model.world import ContainerFacts, State, TmuxFacts
from sandbox_tui.runtime.execution import Execution


class MemoryTerminals(MemoryBackend):
    """tmux sessions that only remember what was typed."""

    def __init__(self, where: str = "") -> None:
        super().__init__(Place(Kind.TMUX, where))

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """A stopped session is gone, as in tmux."""
        await super().stop(ref, grace=grace)
        self.drop(ref)

    async def type(self, ref: Ref, text: str, *, enter: bool = True) -> None:
        """Echo it."""
        await self._answer()
        self.live(ref)
        self.journal(ref).say(f"$ {text}" if enter else text)

    async def press(self, ref: Ref, key: str) -> None:
        """Show the key."""
        await self._answer()
        self.live(ref)
        self.journal(ref).say(f"<{key}>")

    async def capture(self, refs: Sequence[Ref]) -> dict[Ref, Screen]:
        """The last lines of each."""
        await self._answer()
        return {ref: self.journal(ref).screen() for ref in refs if ref in self._boxes}

    async def attachment(self, ref: Ref) -> Attachment:
        """A shell of this machine, so that attaching can be tried."""
        await self._answer()
        return _pretended(self.live(ref).ref)

    def _facts(self, spec: Spec) -> TmuxFacts:
        command = spec.command if isinstance(spec, TmuxSpec) else None
        words = command if isinstance(command, str) else " ".join(command or ("bash",))
        return TmuxFacts(session_id="$1", pane_id="%1", windows=1, command=words)


class MemoryContainers(MemoryFiles):
    """Containers that run the little language of `script`."""

    def __init__(self, where: str = "") -> None:
        super().__init__(Place(Kind.CONTAINER, where))
        self._running: set[asyncio.Task[None]] = set()
        self._sessions: list[MemorySession] = []

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        inside: Inside | None = None,
    ) -> Execution:
        """Run `code` as a script."""
        await self._answer()
        self.live(ref)
        del inside
        execution = Execution(
            ref, code, cap=cap, keep=keep, on_cancel=lambda: _end(task), on_signal=_ignore
        )
        task = asyncio.create_task(script.run(execution, timeout), name=f"run in {ref}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return execution

    async def session(self, ref: Ref) -> MemorySession:
        """A new shell."""
        await self._answer()
        session = MemorySession(self.live(ref).ref)
        self._sessions.append(session)
        return session

    async def pause(self, ref: Ref) -> None:
        """Freeze it."""
        await self._answer()
        self.live(ref)
        self.change(ref, state=State.PAUSED)

    async def resume(self, ref: Ref) -> None:
        """Thaw it."""
        await self._answer()
        self.live(ref)
        self.change(ref, state=State.RUNNING)

    async def attachment(self, ref: Ref) -> Attachment:
        """A shell of this machine, so that attaching can be tried."""
        await self._answer()
        return _pretended(self.live(ref).ref)

    async def shell(self, ref: Ref) -> Attachment:
        """The same."""
        return await self.attachment(ref)

    async def aclose(self) -> None:
        """End what runs."""
        for task in tuple(self._running):
            await _end(task)
        for session in self._sessions:
            await session.aclose()

    def _facts(self, spec: Spec) -> ContainerFacts:
        image = spec.image if isinstance(spec, ContainerSpec) else ""
        ports = spec.ports if isinstance(spec, ContainerSpec) else ()
        return ContainerFacts(container_id="0" * 64, image=image, runtime="memory", ports=ports)


async def _ignore(number: int) -> None:
    del number


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _pretended(ref: Ref) -> Attachment:
    program = f"input({f'pretending to be {ref}; press enter to leave '!r})"
    return Attachment(ref=ref, argv=(sys.executable, "-c", program), leave="enter")
