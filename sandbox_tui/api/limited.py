"""An `Api` under which only so many kernels live at once."""

from __future__ import annotations

from sandbox_tui.api.base import Api
from sandbox_tui.api.passing import PassingApi
from sandbox_tui.model.actions import Action, Restart, Run, RunAll, RunCell, Start
from sandbox_tui.model.errors import LimitReachedError
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import RoomFacts, Sandbox


class LimitedApi(PassingApi):
    """See `Api`. Raises `LimitReachedError` for what would start one kernel more than `most`.

    Kernels of other programs are not counted, those of the dashboard are: it is one machine. Who
    serves a bare `line` passes words on, none of which starts a kernel, and needs no limit.
    """

    def __init__(self, api: Api, most: int) -> None:
        super().__init__(api)
        self._most = most
        self._starting = 0

    async def perform(self, action: Action) -> object:
        """See `Api.perform`."""
        starts = self._starts_a_kernel(action)
        self.check(action)
        self._starting += starts  # the world shows it only when it is there
        try:
            return await self._api.perform(action)
        finally:
            self._starting -= starts

    def check(self, action: Action) -> None:
        """A room without a kernel starts one when something is to be run in it."""
        if self._starts_a_kernel(action):
            self._admit()

    def _admit(self) -> None:
        live = sum(map(_has_kernel, self.world.of(Kind.ROOM))) + self._starting
        if live >= self._most:
            hint = "Stop a room, or raise server.kernels in the configuration."
            raise LimitReachedError("kernels", self._most, hint=hint)

    def _starts_a_kernel(self, action: Action) -> bool:
        match action:
            case Start(kind=None, kernel=None, name=name):
                return name.startswith(f"{Kind.ROOM}:") or self._is_room(name)
            case Start(kind=kind):
                return kind in (None, Kind.ROOM)
            case Run(ref=ref) | RunCell(ref=ref) | RunAll(ref=ref) | Restart(ref=ref):
                box = self.world.get(ref)
                return ref.kind is Kind.ROOM and (box is None or not box.state.is_live)
            case _:
                return False

    def _is_room(self, name: str) -> bool:
        return any(box.ref.answers_to(name) for box in self.world.of(Kind.ROOM))


def _has_kernel(room: Sandbox) -> bool:
    foreign = isinstance(room.facts, RoomFacts) and room.facts.foreign
    return room.state.is_live and not foreign
