"""Only those backends are asked that the names can live in."""

from __future__ import annotations

import pytest

from sandbox_tui.cli.frame import Frame
from sandbox_tui.cli.names import find, kinds_of
from sandbox_tui.cli.starting import kind_to_start
from sandbox_tui.model.errors import (
    AmbiguousNameError,
    BackendUnavailableError,
    ConfigError,
    NotFoundError,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Health, Sandbox, State, TmuxFacts, World
from sandbox_tui.settings import paths

ALL = frozenset(Kind)


def box(ref: str) -> Sandbox:
    return Sandbox(ref=Ref(ref), state=State.RUNNING, facts=TmuxFacts())


@pytest.mark.parametrize(
    ("kind", "names", "kinds"),
    [
        (None, (), ALL),
        (None, ("web",), ALL),
        (None, ("container:web",), {Kind.CONTAINER}),
        (None, ("container:web", "tmux:a"), {Kind.CONTAINER, Kind.TMUX}),
        (None, ("container:web", "a"), ALL),
        (None, ("pod:web",), ALL),
        (Kind.ROOM, ("web",), {Kind.ROOM}),
    ],
)
def test_kinds(kind: Kind | None, names: tuple[str, ...], kinds: set[Kind]) -> None:
    assert kinds_of(Frame(kind=kind), *names) == kinds


async def test_names_are_exact_and_ambiguity_names_the_candidates() -> None:
    world = World(1, (box("tmux:dev"), box("tmux:dev-backup"), box("container:dev")))
    assert await find(Frame(), world, "dev-backup") == "tmux:dev-backup"
    assert await find(Frame(kind=Kind.TMUX), world, "dev") == "tmux:dev"
    with pytest.raises(AmbiguousNameError, match="tmux:dev"):
        await find(Frame(), world, "dev")
    with pytest.raises(NotFoundError):
        await find(Frame(), world, "de")


async def test_a_dead_backend_is_the_better_reason(capsys: pytest.CaptureFixture[str]) -> None:
    down = Health(place="container", ok=False, detail="connection refused", hint="Start it.")
    well = tuple(Health(place=place, ok=True) for place in ("tmux", "room"))
    world = World(1, (), (down, *well))
    with pytest.raises(BackendUnavailableError, match="connection refused"):
        await find(Frame(), world, "container:web")
    with pytest.raises(NotFoundError):
        await find(Frame(), world, "web")
    assert capsys.readouterr().err == "container: connection refused (Start it.)\n"


async def test_a_faulty_entry_is_the_better_reason() -> None:
    file = paths.user_file()
    file.parent.mkdir(parents=True)
    file.write_text("sandboxes: {bad: {comand: x}}")
    with pytest.raises(ConfigError, match="unknown key"):
        await find(Frame(), World(), "bad")
    for frame, name in ((Frame(), "bad"), (Frame(kind=Kind.ROOM), "bad"), (Frame(), "tmux:bad")):
        with pytest.raises(ConfigError, match="unknown key"):
            await kind_to_start(frame, name, {"image": "i"})


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("x", {}, None),
        ("x", {"image": "i"}, Kind.CONTAINER),
        ("x", {"kernel": "k"}, Kind.ROOM),
        ("x", {"command": "c"}, Kind.TMUX),
        ("room:x", {"command": "c"}, Kind.ROOM),
        ("web", {}, Kind.CONTAINER),
        ("web", {"command": "c"}, Kind.CONTAINER),
    ],
)
async def test_a_start_needs_one_backend(
    name: str, said: dict[str, object], kind: Kind | None
) -> None:
    file = paths.user_file()
    file.parent.mkdir(parents=True)
    file.write_text("sandboxes: {web: {image: i}}")
    assert await kind_to_start(Frame(), name, said) == kind
    assert await kind_to_start(Frame(kind=Kind.TMUX), name, said) == Kind.TMUX
