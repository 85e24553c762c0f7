import msgspec
import pytest

from sandbox_tui.model.codec import convert, from_json, to_json
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, Spec, TmuxSpec, overlay


def test_an_overlay_replaces_what_is_said_and_keeps_the_rest() -> None:
    base = ContainerSpec(name="web", image="web:1", ports=("80:80",), env={"A": "1", "B": "2"})

    spec = overlay(base, {"image": "web:2", "ports": None, "env": {"B": "3", "C": "4"}})

    assert spec == ContainerSpec(
        name="web", image="web:2", ports=("80:80",), env={"A": "1", "B": "3", "C": "4"}
    )
    assert base.image == "web:1"


def test_specs_know_their_refs() -> None:
    assert TmuxSpec(name="dev", socket="work").ref == "tmux:dev@work"
    assert ContainerSpec(name="web", runtime="podman").ref == "container:web@podman"
    assert RoomSpec(name="notes").ref == "room:notes"


@pytest.mark.parametrize("spec", [TmuxSpec(name="a", command=("x", "y")), RoomSpec(name="r")])
def test_specs_are_told_apart_by_their_tag(spec: Spec) -> None:
    assert from_json(to_json(spec), Spec) == spec  # type: ignore[arg-type]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="imagee"):
        convert({"name": "web", "imagee": "x"}, ContainerSpec)
