from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.model.codec import from_msgpack, to_msgpack
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.world import Health, Sandbox, State, TmuxFacts, World, diff

boxes = st.builds(
    Sandbox,
    ref=st.builds(Ref.make, st.sampled_from(Kind), st.sampled_from("abcdef")),
    state=st.sampled_from(State),
    facts=st.builds(TmuxFacts, windows=st.integers(0, 3)),
    pid=st.none() | st.integers(1, 3),
)
pictures = st.lists(boxes, unique_by=lambda box: box.ref).map(tuple)


@given(pictures, pictures)
def test_changes_turn_the_one_picture_into_the_other(
    before: tuple[Sandbox, ...], after: tuple[Sandbox, ...]
) -> None:
    picture = {box.ref: box for box in before}
    for change in diff(before, after):
        assert change.before == picture.get(change.ref)
        assert change.before != change.after
        if change.after is None:
            del picture[change.ref]
        else:
            picture[change.ref] = change.after

    assert picture == {box.ref: box for box in after}


@given(pictures)
def test_a_picture_does_not_differ_from_itself(picture: tuple[Sandbox, ...]) -> None:
    assert diff(picture, tuple(reversed(picture))) == ()


@given(pictures)
def test_a_world_survives_the_wire(picture: tuple[Sandbox, ...]) -> None:
    health = (Health(place="container@podman", ok=False, detail="refused", retry_at=3.0),)
    world = World(7, picture, health)

    assert from_msgpack(to_msgpack(world), World) == world
    assert health[0].kind is Kind.CONTAINER


def test_a_world_is_asked_by_name_kind_and_place() -> None:
    box = Sandbox(ref=Ref("tmux:a"), state=State.EXITED, facts=TmuxFacts(exit_code=3))
    world = World(1, (box,), (Health(place="tmux", ok=True),))

    assert world.get("tmux:a") is box
    assert world.get("a") is None
    assert world.of(Kind.TMUX) == (box,)
    assert world.of(Kind.ROOM) == ()
    assert world.health_of(Place(Kind.TMUX)) is not None
    assert box.exit_code == 3
