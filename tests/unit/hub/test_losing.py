"""What a verb says it takes away is what it takes away."""

from __future__ import annotations

import pytest

from sandbox_tui.hub.registry import is_made_anew, verb
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox, State, TmuxFacts

OURS = Sandbox(
    ref=Ref("container:web"),
    state=State.RUNNING,
    facts=ContainerFacts(),
    managed=True,
    defined=True,
    made_from="abc",
)


def test_stopping_what_is_defined_says_that_its_container_goes() -> None:
    assert "the container with its files" in verb("sandbox.stop").lost(OURS)


@pytest.mark.parametrize("field", [{"managed": False}, {"defined": False}, {"made_from": ""}])
def test_stopping_any_other_leaves_the_container(field: dict[str, object]) -> None:
    box = Sandbox(**{**{name: getattr(OURS, name) for name in OURS.__struct_fields__}, **field})

    assert not is_made_anew(box)
    assert "container" not in verb("sandbox.stop").lost(box)


def test_a_session_is_gone_anyway() -> None:
    box = Sandbox(
        ref=Ref("tmux:a"), state=State.RUNNING, facts=TmuxFacts(), managed=True, defined=True
    )

    assert not is_made_anew(box)
