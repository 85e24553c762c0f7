"""Ending kernels that nobody uses, so that forgotten ones do not fill the machine."""

from __future__ import annotations

import asyncio
import logging
import time

from sandbox_tui.api.base import Api
from sandbox_tui.model.actions import Stop
from sandbox_tui.model.errors import ConflictError, SandboxError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.server.http.numbered import PREFIX, NumberedKernels

LOGGER = logging.getLogger(__name__)

LOOKS = 10
"""How often a kernel is looked at before its time is over."""


class Culler:
    """Ends the kernels started by number that were idle for `idle` seconds; cells are kept."""

    def __init__(self, api: Api, kernels: NumberedKernels, idle: float) -> None:
        self._api = api
        self._kernels = kernels
        self._idle = idle
        self._since: dict[Ref, tuple[tuple[object, ...], float]] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._idle / LOOKS)
            for room in self._overdue(time.monotonic()):
                await self._end(room)

    def _overdue(self, now: float) -> list[Ref]:
        """What has been idle, and has shown no sign of use, for long enough."""
        rooms = [box for box in self._api.world.of(Kind.ROOM) if _is_culled(box)]
        known, self._since = self._since, {}
        for box in rooms:
            signs = _signs(box)
            before = known.get(box.ref)
            still = before is not None and before[0] == signs and not self._is_busy(box)
            self._since[box.ref] = before if still and before else (signs, now)
        return [ref for ref, (_, since) in self._since.items() if now - since >= self._idle]

    async def _end(self, ref: Ref) -> None:
        box = self._api.world.get(ref)
        if box is None or self._is_busy(box):
            return  # somebody came while another kernel was ended
        try:
            await self._api.perform(Stop(ref=ref, if_idle=True))
            LOGGER.info("%s was idle for %g s: its kernel has ended", ref, self._idle)
        except ConflictError:
            return  # somebody came while it was on its way
        except SandboxError as error:
            LOGGER.warning("%s is idle but does not end: %s", ref, error)

    def _is_busy(self, box: Sandbox) -> bool:
        return box.state is not State.IDLE or self._kernels.is_used(box.ref)


def _is_culled(box: Sandbox) -> bool:
    return box.ref.name.startswith(PREFIX) and box.managed and box.state.is_live


def _signs(box: Sandbox) -> tuple[object, ...]:
    """What changes when somebody uses it."""
    facts = box.facts if isinstance(box.facts, RoomFacts) else RoomFacts()
    return (box.pid, box.state, facts.execution_count, facts.cells, facts.queued)
