"""The Hub over memory backends that die, hang and change."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from sandbox_tui.api.client import running
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.hub.reaper import Reaper
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import ContainerFacts, Sandbox, State, World
from sandbox_tui.settings import schema

INTERVALS = dict.fromkeys(Kind, 0.05)


@pytest.fixture
def terminals() -> MemoryTerminals:
    return MemoryTerminals()


@pytest.fixture
def containers() -> MemoryContainers:
    return MemoryContainers()


@pytest.fixture
async def hub(terminals: MemoryTerminals, containers: MemoryContainers) -> AsyncIterator[Hub]:
    await terminals.start(TmuxSpec(name="dev"))
    await containers.start(ContainerSpec(name="web", image="web:1"))
    definitions = {
        Ref("tmux:dev"): TmuxSpec(name="dev"),
        Ref("tmux:bot"): TmuxSpec(name="bot", command="python bot.py", working_dir="/opt"),
    }
    hub = Hub((terminals, containers), definitions=definitions, intervals=INTERVALS, deadline=0.3)
    async with running(hub):
        yield hub


async def until(hub: Hub, wanted: object) -> World:
    """The first world for which `wanted(world)` holds."""
    async with asyncio.timeout(5):
        async for world in hub.worlds():
            if wanted(world):  # type: ignore[operator]
                return world
    raise AssertionError("the worlds ended")


async def test_live_and_defined_sandboxes_are_one_list(hub: Hub) -> None:
    world = await hub.settled()

    assert {box.ref: box.state for box in world.sandboxes} == {
        "tmux:dev": State.RUNNING,
        "container:web": State.RUNNING,
        "tmux:bot": State.DEFINED,
    }
    dev, bot = world.get("tmux:dev"), world.get("tmux:bot")
    assert dev is not None and dev.defined and bot is not None
    assert (bot.facts.command, bot.facts.path) == ("python bot.py", "/opt")  # type: ignore[union-attr]


async def test_a_revision_comes_only_with_a_change(hub: Hub, terminals: MemoryTerminals) -> None:
    first = await hub.settled()
    for _ in range(3):
        await hub.refresh(Place(Kind.TMUX))
    assert hub.world is first

    await terminals.start(TmuxSpec(name="new"))
    world = await until(hub, lambda world: world.get("tmux:new"))
    assert world.revision == first.revision + 1


async def test_a_dead_backend_keeps_its_rows_stale_and_harms_no_other(
    hub: Hub, containers: MemoryContainers, terminals: MemoryTerminals
) -> None:
    await hub.settled()
    containers.down = "connection refused"
    world = await until(hub, lambda world: not world.health_of(Place(Kind.CONTAINER)).ok)

    web, health = world.get("container:web"), world.health_of(Place(Kind.CONTAINER))
    assert web is not None and web.stale_since is not None and web.state is State.RUNNING
    assert health is not None and health.detail == "connection refused"
    assert health.retry_at is not None and health.retry_at > health.since
    await terminals.start(TmuxSpec(name="meanwhile"))
    await until(hub, lambda world: world.get("tmux:meanwhile"))

    containers.down = ""
    world = await until(hub, lambda world: world.health_of(Place(Kind.CONTAINER)).ok)
    web = world.get("container:web")
    assert web is not None and web.stale_since is None


async def test_a_backend_that_hangs_is_unavailable_after_its_deadline(
    hub: Hub, containers: MemoryContainers
) -> None:
    await hub.settled()
    containers.hangs = True
    world = await until(hub, lambda world: not world.health_of(Place(Kind.CONTAINER)).ok)

    health = world.health_of(Place(Kind.CONTAINER))
    assert health is not None and health.detail == "no answer within 0.3 s"
    containers.hangs = False


async def test_a_faulty_backend_is_unavailable_with_its_fault() -> None:
    class Faulty(MemoryTerminals):
        async def poll(self) -> list[Sandbox]:
            raise KeyError("oops")

    hub = Hub([Faulty()], intervals=INTERVALS)
    async with running(hub):
        world = await hub.settled()

    assert [(entry.ok, entry.detail) for entry in world.health] == [(False, "KeyError: 'oops'")]


async def test_retries_of_a_dead_backend_slow_down(hub: Hub, containers: MemoryContainers) -> None:
    await hub.settled()
    containers.down = "gone"
    pauses: list[float] = []
    async for world in hub.worlds():
        health = world.health_of(Place(Kind.CONTAINER))
        if health is not None and not health.ok and health.retry_at is not None:
            pauses.append(health.retry_at)
        if len(pauses) == 4:
            break

    gaps = [later - sooner for sooner, later in itertools.pairwise(pauses)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 2 * INTERVALS[Kind.CONTAINER]


async def test_a_slow_reader_gets_the_latest_world(hub: Hub, terminals: MemoryTerminals) -> None:
    await hub.settled()
    worlds = hub.worlds()
    first = await anext(worlds)
    for number in range(5):
        await terminals.start(TmuxSpec(name=f"burst{number}"))
        await hub.refresh(Place(Kind.TMUX))

    second = await anext(worlds)
    assert second is hub.world
    assert second.revision > first.revision + 1
    assert second.get("tmux:burst4") is not None


async def test_settled_does_not_wait_for_ever() -> None:
    terminals = MemoryTerminals()
    terminals.hangs = True
    hub = Hub([terminals], deadline=60)
    async with running(hub):
        world = await hub.settled(timeout=0.1)

    assert world.health == ()


async def test_closing_it_is_done_when_something_else_fails_first(
    terminals: MemoryTerminals, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    async def broken(self: Reaper) -> None:
        raise RuntimeError("broken")

    async def aclose() -> None:
        closed.append(True)

    monkeypatch.setattr(Reaper, "run", broken)
    monkeypatch.setattr(terminals, "aclose", aclose)
    with pytest.raises(RuntimeError, match="broken"):
        async with running(Hub([terminals], intervals=INTERVALS)):
            pass
    assert closed == [True]


async def test_who_is_cancelled_while_it_closes_is_cancelled(
    terminals: MemoryTerminals, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = asyncio.Event()
    go_on = asyncio.Event()
    closed: list[bool] = []

    async def aclose() -> None:
        closing.set()
        await go_on.wait()
        closed.append(True)

    async def use() -> None:
        async with running(Hub([terminals], intervals=INTERVALS)):
            pass

    monkeypatch.setattr(terminals, "aclose", aclose)
    using = asyncio.create_task(use())
    await closing.wait()
    using.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert closed == [True]


async def test_what_is_defined_shows_what_its_profile_says() -> None:
    profiles = Profiles({"ml": schema.Profile(image="torch:2", ports=("80:80",))})
    specs = [ContainerSpec(name=name, profile=name) for name in ("ml", "nothing")]
    hub = Hub(
        [MemoryContainers()], definitions={spec.ref: spec for spec in specs}, profiles=profiles
    )
    async with running(hub):
        world = await hub.settled()

    known, unknown = (world.get(spec.ref) for spec in specs)
    assert known is not None and unknown is not None
    assert isinstance(known.facts, ContainerFacts)
    assert (known.state, known.facts.image, known.facts.ports) == (
        State.DEFINED,
        "torch:2",
        ("80:80",),
    )
    assert (unknown.state, unknown.detail) == (State.DEFINED, "no profile named 'nothing'")
