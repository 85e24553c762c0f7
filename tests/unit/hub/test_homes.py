"""Places that are meant, and places that are opened when somebody names them."""

from __future__ import annotations

import pytest

from sandbox_tui.api.client import running
from sandbox_tui.backends.base import Backend
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.hub.handlers import perform
from sandbox_tui.hub.homes import Homes
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.starting import may_run_again
from sandbox_tui.model.actions import Start
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    DefinitionChangedError,
    InvalidSpecError,
    UnsupportedError,
)
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec, fingerprint
from sandbox_tui.model.world import Sandbox, State, TmuxFacts


def moved(backend: MemoryContainers | MemoryTerminals, where: str) -> Backend:
    backend.place = Place(backend.place.kind, where)
    return backend


async def test_what_names_no_engine_lives_where_that_is_meant() -> None:
    plain, podman = Place(Kind.CONTAINER), Place(Kind.CONTAINER, "podman")
    spec = ContainerSpec(name="web", image="nginx")
    hub = Hub(
        [MemoryContainers(), moved(MemoryContainers(), "podman")],
        definitions={spec.ref: spec},
        homes=Homes(means={plain: podman, Place(Kind.CONTAINER, "docker"): plain}),
    )
    async with running(hub):
        await hub.settled()
        assert [box.ref for box in hub.world.sandboxes] == ["container:web@podman"]
        assert hub.world.sandboxes[0].state is State.DEFINED
        assert hub.home(ContainerSpec(name="x", image="x", runtime="docker")) == "container:x"
        assert await hub.look(podman) is not None


async def test_a_place_is_opened_when_it_is_first_named() -> None:
    opened: list[Place] = []

    def open_it(place: Place) -> Backend | None:
        opened.append(place)
        return moved(MemoryTerminals(), place.where) if place.where == "work" else None

    hub = Hub([MemoryTerminals()], homes=Homes(open=open_it))
    async with running(hub):
        await hub.settled()
        for _ in range(2):
            assert hub.backend(Place(Kind.TMUX, "work")).place.where == "work"
        assert opened == [Place(Kind.TMUX, "work")]
        assert hub.places == (Place(Kind.TMUX), Place(Kind.TMUX, "work"))
        with pytest.raises(UnsupportedError):
            hub.backend(Place(Kind.TMUX, "play"))
    with pytest.raises(UnsupportedError):
        hub.backend(Place(Kind.TMUX, "later"))


async def test_what_no_backend_should_be_given_is_refused_first() -> None:
    hub = Hub([MemoryTerminals()])
    async with running(hub):
        await hub.settled()
        with pytest.raises(InvalidSpecError, match="name"):
            await perform(hub, Start(name="dev\n", kind=Kind.TMUX))


@pytest.mark.parametrize(
    ("state", "made_from", "runs_again"),
    [
        (State.EXITED, "same", True),
        (State.FAILED, "same", True),
        (State.EXITED, "", False),
        (State.STOPPED, "same", False),
        (State.DEFINED, "", False),
        (State.EXITED, "other", DefinitionChangedError),
        (State.RUNNING, "same", AlreadyExistsError),
        (State.PAUSED, "other", AlreadyExistsError),
    ],
)
def test_what_ended_runs_again_only_as_it_was(
    state: State, made_from: str, runs_again: bool | type[Exception]
) -> None:
    spec = TmuxSpec(name="job", command="true")
    mark = fingerprint(spec) if made_from == "same" else made_from
    box = Sandbox(ref=Ref("tmux:job"), state=state, facts=TmuxFacts(), made_from=mark)
    if isinstance(runs_again, bool):
        assert may_run_again(box, spec) is runs_again
    else:
        with pytest.raises(runs_again):
            may_run_again(box, spec)
