"""Nothing is ended that somebody has begun to use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from sandbox_tui.api.client import running
from sandbox_tui.backends.containers.labels import IDLE_TIMEOUT_LABEL
from sandbox_tui.backends.memory.kinds import MemoryContainers
from sandbox_tui.hub import reaper
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.terms import KNOWN_BY
from sandbox_tui.hub.uses import Uses
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox, State
from sandbox_tui.runtime.execution import Execution
from tests.support import retry_until_async

WEB = Ref("container:web")


class Idle(MemoryContainers):
    """Has one container that is long idle; `measured` is called while that is made sure."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.put(
            Sandbox(
                ref=WEB,
                state=State.RUNNING,
                facts=ContainerFacts(container_id="1"),
                created_at=time.time() - 100,
                labels={IDLE_TIMEOUT_LABEL: "10", KNOWN_BY: Uses().identity},
                managed=True,
            )
        )

    def measured(self) -> None:
        """Nothing else happens."""

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        self.looks += 1
        self.measured()
        return {ref: Vitals(at=time.time(), cpu=0.0) for ref in refs}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "MEASURING", 0.0)


def endings() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == f"end {WEB}"]


async def test_what_is_idle_is_ended() -> None:
    containers = Idle()
    async with running(Hub([containers])):
        await retry_until_async(lambda: not containers.has(WEB))


async def test_a_command_that_begins_while_idleness_is_made_sure_is_not_ended() -> None:
    containers = Idle()
    hub = Hub([containers])
    execution = Execution(WEB, "sleep 1")
    containers.measured = lambda: hub.occupied(execution)  # type: ignore[method-assign,assignment]
    async with running(hub):
        await retry_until_async(lambda: containers.looks >= 2 and not endings())
        assert containers.box(WEB).state is State.RUNNING


async def test_a_state_folder_that_cannot_be_written_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    containers = Idle()

    async def at_work(refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        containers.looks += 1
        return {ref: Vitals(at=time.time(), cpu=1.0) for ref in refs}

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(containers, "vitals", at_work)
    monkeypatch.setattr("pathlib.Path.mkdir", refused)
    hub = Hub([containers])
    async with running(hub):
        await hub.settled()
        hub.note_use(WEB)
        before = hub.world.revision
        containers.change(WEB, title="seen")
        await retry_until_async(lambda: hub.world.revision > before)
