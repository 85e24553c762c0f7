"""A machine in memory for the dashboard: three backends, and a record of what was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import pytest
from textual.pilot import Pilot

from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.api.passing import PassingApi
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Action
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, Spec, TmuxSpec
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.tui.app import DashboardApp
from sandbox_tui.tui.outfit import Outfit, load_rules
from sandbox_tui.tui.screens.dashboard import Dashboard
from sandbox_tui.tui.situation import Half
from tests.support import PATIENCE, retry_until_async

FAST = dict.fromkeys(Kind, 0.05)


class Recorder(PassingApi):
    """An Api that is another one, and remembers what it was asked to do."""

    def __init__(self, api: LocalApi, actions: list[Action]) -> None:
        super().__init__(api)
        self._actions = actions

    async def perform(self, action: Action) -> object:
        self._actions.append(action)
        return await super().perform(action)


class Machine:
    """What runs on it, and every action that the dashboard performed."""

    def __init__(self) -> None:
        self.terminals = MemoryTerminals()
        self.containers = MemoryContainers()
        self.rooms = MemoryRooms()
        self.definitions: dict[Ref, Spec] = {}
        self.actions: list[Action] = []
        self.outfit = Outfit(rules=load_rules)

    async def furnish(self) -> Machine:
        """Two of each kind."""
        for name in ("api", "docs"):
            await self.terminals.start(TmuxSpec(name=name, command="vim"))
        for name in ("web", "db"):
            await self.containers.start(ContainerSpec(name=name, image=f"{name}:1"))
        for name in ("analysis", "scratch"):
            await self.rooms.start(RoomSpec(name=name))
        return self

    def fail(self, ref: Ref, code: int = 1) -> None:
        """Let a container end badly."""
        facts = self.containers.box(ref).facts
        facts = type(facts)(**{**_fields(facts), "exit_code": code})
        self.containers.change(ref, state=State.EXITED, facts=facts, pid=None)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncGenerator[Recorder]:
        """Have the dashboard connect here."""
        backends = (self.terminals, self.containers, self.rooms)
        hub = Hub(backends, definitions=self.definitions, intervals=FAST)
        async with running(hub):
            yield Recorder(LocalApi(hub), self.actions)

    @contextlib.asynccontextmanager
    async def dashboard(
        self, size: tuple[int, int] = (120, 40), *, select: str = ""
    ) -> AsyncGenerator[Sight]:
        """The dashboard over it, once it has seen the world."""
        app = DashboardApp(self.connect, self.outfit, select=select)
        async with app.run_test(size=size) as pilot:
            sight = Sight(app, pilot)
            await sight.until(lambda: len(sight.dashboard.desk.world.health) == len(Kind))
            yield sight


class Sight:
    """Keys in, screen out."""

    def __init__(self, app: DashboardApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def dashboard(self) -> Dashboard:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, Dashboard)
        return screen

    @property
    def half(self) -> Half:
        return self.dashboard.half

    @property
    def selected(self) -> Ref | None:
        return self.dashboard.selected

    @property
    def notices(self) -> str:
        """Everything that was notified and is still there."""
        return "\n".join(f"{note.title} {note.message}" for note in self.app._notifications)

    def text(self) -> str:
        """The screen as text."""
        screen = self.app.screen
        height = screen.size.height
        return "\n".join(
            "".join(segment.text for segment in line).rstrip()
            for line in screen._compositor.render_strips()[:height]
        )

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(_key(char) for char in text))

    async def until(self, predicate: object, timeout: float = PATIENCE) -> None:
        await retry_until_async(predicate, timeout)  # type: ignore[arg-type]

    async def sees(self, *words: str, timeout: float = PATIENCE) -> None:
        """Wait until all of them are on the screen."""
        for word in words:
            await self._until_seen(word, timeout)

    async def misses(self, *words: str) -> None:
        """Wait until none of them is on the screen."""
        for word in words:
            await self._until_gone(word)

    def select(self, ref: str) -> None:
        """Put the cursor there."""
        self.dashboard.select(Ref(ref))

    async def _until_seen(self, word: str, timeout: float) -> None:
        try:
            await retry_until_async(lambda: word in self.text(), timeout)
        except pytest.fail.Exception:
            pytest.fail(f"{word!r} is not on the screen:\n{self.text()}")

    async def _until_gone(self, word: str) -> None:
        await retry_until_async(lambda: word not in self.text(), 5.0, f"{word!r} gone")

    def box(self, ref: str) -> Sandbox | None:
        return self.dashboard.desk.box(Ref(ref))


def _key(char: str) -> str:
    return {" ": "space", ":": "colon", ",": "comma", "\n": "enter"}.get(char, char)


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]
