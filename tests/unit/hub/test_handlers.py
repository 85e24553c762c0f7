"""Actions over the memory backend: what they do, and what they refuse."""

from collections.abc import AsyncIterator

import pytest

from sandbox_tui.api.client import running
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.hub.handlers import perform
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Attach, Pause, Remove, Restart, Run, Send, Start, Stop
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    AmbiguousNameError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    OnlyDefinedError,
    UnsupportedError,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import ContainerFacts, State

DEFINED = {
    Ref("tmux:bot"): TmuxSpec(name="bot", command="python bot.py", env={"A": "1", "B": "2"}),
    Ref("container:api"): ContainerSpec(name="api", image="api:1", ports=("80:80",)),
    Ref("tmux:two"): TmuxSpec(name="two"),
    Ref("container:two"): ContainerSpec(name="two", image="two:1"),
}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    backends = (MemoryTerminals(), MemoryContainers(), MemoryRooms())
    hub = Hub(backends, definitions=DEFINED)
    async with running(hub):
        await hub.settled()
        yield hub


def state(hub: Hub, ref: str) -> State | None:
    box = hub.world.get(ref)
    return box.state if box else None


async def test_defined_running_defined(hub: Hub) -> None:
    assert state(hub, "tmux:bot") is State.DEFINED
    assert await perform(hub, Start(name="bot")) == "tmux:bot"
    assert state(hub, "tmux:bot") is State.RUNNING

    await perform(hub, Stop(ref=Ref("tmux:bot")))
    assert state(hub, "tmux:bot") is State.DEFINED


async def test_an_image_turns_a_terminal_into_a_container(hub: Hub) -> None:
    ref = await perform(hub, Start(name="bot", image="bot:2", env={"B": "3"}))

    assert ref == "container:bot"
    box = hub.world.get("container:bot")
    assert box is not None and isinstance(box.facts, ContainerFacts)
    assert box.facts.image == "bot:2"


async def test_overrides_win_over_the_definition(hub: Hub) -> None:
    await perform(hub, Start(name="api", image="api:2"))

    box = hub.world.get("container:api")
    assert box is not None and isinstance(box.facts, ContainerFacts)
    assert (box.facts.image, box.facts.ports) == ("api:2", ("80:80",))


async def test_what_runs_is_not_started_again_unless_replaced(hub: Hub) -> None:
    await perform(hub, Start(name="api"))
    with pytest.raises(AlreadyExistsError, match="container:api exists already"):
        await perform(hub, Start(name="api"))

    before = hub.world.get("container:api")
    await perform(hub, Start(name="api", replace=True))
    after = hub.world.get("container:api")
    assert before is not None and after is not None and before.pid != after.pid


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (Start(name="two"), AmbiguousNameError),
        (Start(name="nobody"), NotFoundError),
        (Start(name="new", kind=Kind.CONTAINER), InvalidSpecError),
        (Start(name="bot", kernel="python", image="x"), InvalidSpecError),
        (Stop(ref=Ref("tmux:bot")), NotFoundError),
        (Stop(ref=Ref("tmux:bo")), NotFoundError),
        (Pause(ref=Ref("tmux:nobody")), NotFoundError),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(
    hub: Hub, action: Start | Stop | Pause, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await perform(hub, action)


async def test_a_terminal_has_no_exit_code_and_is_sent_to(hub: Hub) -> None:
    ref = await perform(hub, Start(name="bot"))
    assert isinstance(ref, Ref)

    with pytest.raises(UnsupportedError) as caught:
        await perform(hub, Run(ref=ref, code="echo hi"))
    assert caught.value.hint == "Run: sandbox-tui send tmux:bot TEXT"

    await perform(hub, Send(ref=ref, text="echo hi"))
    await perform(hub, Send(ref=ref, key="C-c"))
    follow = hub.backend(ref.place).follow(ref, live=False)  # type: ignore[attr-defined]
    assert [line.text async for line in follow] == ["$ echo hi\n", "<C-c>\n"]


async def test_only_what_ended_is_removed_unless_forced(hub: Hub) -> None:
    ref = Ref("container:api")
    await perform(hub, Start(name="api"))
    with pytest.raises(ConflictError):
        await perform(hub, Remove(ref=ref))
    assert state(hub, ref) is State.RUNNING

    await perform(hub, Remove(ref=ref, force=True))
    assert state(hub, ref) is State.DEFINED


@pytest.mark.parametrize("action", [Attach, Pause, Remove, Restart, Stop])
async def test_what_is_only_defined_is_told_apart_from_what_is_not_there(
    hub: Hub, action: type[Attach]
) -> None:
    with pytest.raises(OnlyDefinedError) as caught:
        await perform(hub, action(ref=Ref("container:api")))
    assert caught.value.hint == "Run: sandbox-tui start container:api"
    with pytest.raises(NotFoundError, match="no sandbox named"):
        await perform(hub, action(ref=Ref("container:none")))
