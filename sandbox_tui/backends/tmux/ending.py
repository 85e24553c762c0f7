"""Ending what runs in a session: asked first, then hung up, then made sure.

What is asked is every pane where something runs; a shell that waits at its prompt has nothing to
end. Hanging up is what tmux does when it closes a pane. What survives even that, of the pane's own
process and those in front of its terminal, is killed; what somebody sent to the background there
to outlive the terminal is theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sandbox_tui.backends.tmux import processes
from sandbox_tui.backends.tmux.deeds import Deeds, Done
from sandbox_tui.backends.tmux.formats import PANES, Pane, parse_panes
from sandbox_tui.backends.tmux.keyboard import Keyboard
from sandbox_tui.backends.tmux.processes import Process
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Words
from sandbox_tui.runtime.pool import Pool

LOOK = 0.05
COSTLY_LOOK = 0.25
"""Seconds between two looks whether it has ended: ordinarily, and while each costs a process."""

LINGER = 0.5
"""Seconds that a process may take to end after it was hung up."""

_DEADLINE = 2.0
"""How long reading `/proc` may take, in seconds."""

_GONE = Done(ok=True, lines=(), complaint="")

Panes = Callable[[], Awaitable[list[Pane]]]


class Ending:
    """Ends and begins anew what runs on one server."""

    def __init__(self, server: Server, keyboard: Keyboard, deeds: Deeds, pool: Pool) -> None:
        self._server = server
        self._keyboard = keyboard
        self._deeds = deeds
        self._pool = pool

    async def stop(self, session: str, grace: float) -> Done:
        """End every pane of that session, and the session."""

        async def panes() -> list[Pane]:
            return await self._panes("-s", session)

        await self._ask_to_end(panes, grace)
        done = await self._end(await panes(), ("kill-session", "-t", session))
        return done if await panes() else _GONE

    async def restart(self, pane: str, grace: float) -> Done:
        """End that pane's program and run it again in its place."""

        async def panes() -> list[Pane]:
            return [one for one in await self._panes("", pane) if one.pane_id == pane]

        kept = await self._keep(pane)
        await self._ask_to_end(panes, grace)
        done = await self._end(await panes(), ("respawn-pane", "-k", "-t", pane))
        if kept:
            await self._deeds.do(("set-option", "-p", "-t", pane, "remain-on-exit", kept))
        return done

    async def revive(self, pane: str) -> Done:
        """Run its program again in a pane where it has ended; tmux refuses where it has not."""
        return await self._deeds.do(("respawn-pane", "-t", pane))

    async def _panes(self, scope: str, target: str) -> list[Pane]:
        flags = (scope,) if scope else ()
        replies = await self._server.ask(("list-panes", *flags, "-F", PANES, "-t", target))
        return parse_panes(replies[0].body) if replies and replies[0].ok else []

    async def _keep(self, pane: str) -> str:
        """Let the pane stay when its program ends; what to set back afterwards, if anything."""
        look = ("display-message", "-p", "-t", pane, "#{remain-on-exit}")
        replies = await self._server.ask(look)
        before = replies[0].text if replies and replies[0].ok else "on"
        if before == "on":
            return ""
        await self._deeds.do(("set-option", "-p", "-t", pane, "remain-on-exit", "on"))
        return before

    async def _ask_to_end(self, panes: Panes, grace: float) -> None:
        """Interrupt what runs, and wait for its end up to `grace` seconds."""
        if grace <= 0:
            return
        busy = await self._busy(await panes())
        for pane in busy:
            await self._keyboard.interrupt(pane.pane_id)
        now = asyncio.get_running_loop().time
        until = now() + grace
        while busy and now() < until:
            pause = LOOK if self._server.is_cheap else COSTLY_LOOK
            await asyncio.sleep(min(pause, max(0.0, until - now())))
            busy = await self._busy(await panes())

    async def _busy(self, panes: Sequence[Pane]) -> list[Pane]:
        """The panes where something runs."""
        live = [(pane, pane.pid) for pane in panes if not pane.is_closed]
        pids = [pid for _, pid in live if pid is not None]
        idle = await self._pool.run(_DEADLINE, _idle_shells, pids)
        return [pane for pane, pid in live if pid not in idle]

    async def _end(self, panes: Sequence[Pane], deed: Words) -> Done:
        """Do what hangs up, and see that nothing survives it."""
        pids = [pane.pid for pane in panes if pane.pid is not None]
        doomed = await self._pool.run(_DEADLINE, _in_front, pids)
        done = await self._deeds.do(deed)
        if done.ok:
            await self._see_off(doomed)
        return done

    async def _see_off(self, doomed: list[Process]) -> None:
        for _ in range(int(LINGER / LOOK)):
            doomed = await self._pool.run(_DEADLINE, _survivors, doomed)
            if not doomed:
                return
            await asyncio.sleep(LOOK)
        await self._pool.run(_DEADLINE, processes.kill, doomed)


def _idle_shells(pids: list[int]) -> set[int]:
    return {pid for pid in pids if processes.is_idle_shell(pid)}


def _in_front(pids: list[int]) -> list[Process]:
    return [process for pid in pids for process in processes.front(pid)]


def _survivors(doomed: list[Process]) -> list[Process]:
    return [process for process in doomed if processes.is_alive(process)]
