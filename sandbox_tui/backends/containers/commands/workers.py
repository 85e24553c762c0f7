"""The shells that wait inside one container for something to run, and who gets which.

Each command has a connection of its own, so that the flood of one is no matter to another: as many
commands as run at a time, as many shells. A few stay when they are idle, and not for long. Only in
containers that this program made: elsewhere a process of ours would be a surprise.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from sandbox_tui.backends.containers.commands.carrier import Carrier
from sandbox_tui.backends.containers.commands.execs import Exec
from sandbox_tui.backends.containers.commands.worker import LONGEST, Worker
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.specs import Inside

MOST = 32
"""How many shells one container may have at a time; what comes beyond is started by the engine."""

MOST_IDLE = 4

IDLE_SECONDS = 120.0
"""How long a shell waits for something to run."""


_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
"""Variables that a program in between passes on."""


class Workers:
    """The shells in one container."""

    def __init__(self, link: Link, box: Box) -> None:
        self.box = box
        self.doubtful = False
        """Whether something happened to the container since, so that it may be another one."""
        self._link = link
        self._fit = box.managed
        self._first = box.waits
        self._all: set[Worker] = set()
        self._idle: dict[Worker, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def are_ready(self) -> bool:
        """Whether one is idle, in a container that is still the same."""
        return not self.doubtful and any(worker.is_alive for worker in self._idle)

    async def begin(self, argv: Sequence[str], tag: str, inside: Inside | None) -> Carrier | None:
        """Have a program carried by an idle shell; `None` when there is none."""
        place = inside or Inside()
        while _is_plain(argv, place) and (worker := self._fitting(place)) is not None:
            self._idle.pop(worker).cancel()
            if worker.is_alive and await worker.begin(argv, tag, place):
                return worker
            self._dismiss(worker)
        return None

    async def begin_anew(self, argv: Sequence[str], tag: str, inside: Inside | None) -> Carrier:
        """Have it carried by a new shell, or by an exec. Raises `SandboxError`."""
        place = inside or Inside()
        if self._fit and len(self._all) < MOST and _is_plain(argv, place):
            worker = await self._opened(place)
            self._fit = worker is not None
            if worker is not None:
                self._all.add(worker)
                if await worker.begin(argv, tag, place):
                    return worker
                self._dismiss(worker)
        return await Exec.begin(self._link, self.box, argv, tag, inside)

    async def aclose(self) -> None:
        """Let all of them end."""
        for worker in list(self._all):
            self._dismiss(worker)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _opened(self, inside: Inside) -> Worker | None:
        """A new one: the first of the main process, if it waits for that, which takes no time."""
        if self._first and inside.held:
            self._first = False
            worker = await Worker.of_main(self._link, self.box, self._release)
            if worker is not None:
                return worker
        return await Worker.open(self._link, self.box, self._release)

    def _fitting(self, inside: Inside) -> Worker | None:
        """The last one that was used and may carry such a program."""
        return next(
            (each for each in reversed(self._idle) if inside.held or not each.is_near), None
        )

    def _release(self, worker: Worker) -> None:
        if len(self._idle) >= MOST_IDLE or not worker.is_alive or worker not in self._all:
            self._dismiss(worker)
            return
        loop = asyncio.get_running_loop()
        self._idle[worker] = loop.call_later(IDLE_SECONDS, self._dismiss, worker)

    def _dismiss(self, worker: Worker) -> None:
        self._all.discard(worker)
        if (timer := self._idle.pop(worker, None)) is not None:
            timer.cancel()
        task = asyncio.ensure_future(worker.retire())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def _is_plain(argv: Sequence[str], inside: Inside) -> bool:
    """Whether a shell can run it as the engine would: as its own user, and told in few words."""
    if inside.user or not all(map(_NAME.fullmatch, inside.env)):
        return False
    if inside.env and "=" in argv[0]:  # it would be taken for one more variable
        return False
    if inside.working_dir and not inside.working_dir.startswith("/"):
        return False
    words = "".join((*argv, *inside.env, *inside.env.values(), inside.working_dir))
    return any(argv) and len(words) <= LONGEST and "\0" not in words
