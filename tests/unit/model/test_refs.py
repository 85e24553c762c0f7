import pickle
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox_tui.model.codec import from_json, to_json
from sandbox_tui.model.errors import AmbiguousNameError, InvalidNameError, NotFoundError
from sandbox_tui.model.refs import Kind, Place, Ref, resolve

names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
wheres = st.text(string.ascii_lowercase + string.digits + ".-/", max_size=10)
refs = st.builds(Ref.make, st.sampled_from(Kind), names, wheres)


@given(st.sampled_from(Kind), names, wheres)
def test_parts_survive_being_joined_and_taken_apart(kind: Kind, name: str, where: str) -> None:
    ref = Ref(str(Ref.make(kind, name, where)))

    assert (ref.kind, ref.name, ref.place) == (kind, name, Place(kind, where))


@given(refs)
def test_a_ref_is_its_own_json_and_pickle(ref: Ref) -> None:
    again = from_json(to_json(ref), Ref)

    assert again == ref == pickle.loads(pickle.dumps(ref))
    assert again.name == ref.name


@pytest.mark.parametrize("text", ["", "web", "docker:web", "container:", "container:@gpu1"])
def test_what_is_no_full_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        Ref(text)

    assert caught.value.text == text


def test_a_name_with_an_at_sign_says_its_place() -> None:
    assert Ref.make(Kind.TMUX, "me@host") == "tmux:me@host@"
    assert Ref("tmux:me@host@").name == "me@host"


def test_an_empty_place_is_not_written() -> None:
    assert Ref("tmux:dev@") == "tmux:dev"


def test_a_bare_name_resolves_when_it_is_the_only_one() -> None:
    known = [Ref("tmux:dev"), Ref("container:web@podman")]

    assert resolve("dev", known) == "tmux:dev"
    assert resolve("web", known) == resolve("web@podman", known) == "container:web@podman"


def test_a_bare_name_of_two_lists_both() -> None:
    with pytest.raises(AmbiguousNameError) as caught:
        resolve("web", [Ref("tmux:web"), Ref("container:web"), Ref("room:other")])

    assert caught.value.candidates == ("container:web", "tmux:web")


def test_a_kind_makes_a_bare_name_unambiguous() -> None:
    known = [Ref("tmux:web"), Ref("container:web")]

    assert resolve("web", known, Kind.TMUX) == "tmux:web"


@given(st.lists(refs, min_size=1, unique=True), st.data())
def test_a_prefix_is_never_a_name(known: list[Ref], data: st.DataObject) -> None:
    ref = data.draw(st.sampled_from(known))
    cut = data.draw(st.integers(1, max(1, len(ref.name) - 1)))
    prefix = ref.name[:cut]
    assume(not any(other.answers_to(prefix) for other in known))

    with pytest.raises(NotFoundError):
        resolve(prefix, known)


@given(st.lists(refs, min_size=1, unique=True))
def test_every_full_name_resolves_to_itself(known: list[Ref]) -> None:
    assert [resolve(ref, known) for ref in known] == known


def test_a_miss_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="no sandbox named 'postgrs'") as caught:
        resolve("postgrs", [Ref("container:postgres"), Ref("tmux:dev")])

    assert "container:postgres" in caught.value.hint
