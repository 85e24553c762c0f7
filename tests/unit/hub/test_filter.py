"""The list's filter."""

from __future__ import annotations

import pytest

from sandbox_tui.hub.filter import Filter
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, RoomFacts, Sandbox, State, TmuxFacts

BOXES = (
    Sandbox(
        ref=Ref("container:web"),
        state=State.RUNNING,
        facts=ContainerFacts(image="nginx:1"),
        labels={"team": "ml", "x": ""},
    ),
    Sandbox(ref=Ref("container:bad"), state=State.EXITED, facts=ContainerFacts(exit_code=2)),
    Sandbox(ref=Ref("container:fine"), state=State.EXITED, facts=ContainerFacts(exit_code=0)),
    Sandbox(ref=Ref("tmux:docs"), state=State.RUNNING, facts=TmuxFacts(command="vim")),
    Sandbox(ref=Ref("room:lab"), state=State.FAILED, facts=RoomFacts(kernel="python")),
    Sandbox(ref=Ref("room:old"), state=State.IDLE, facts=RoomFacts(), stale_since=1.0),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "web bad fine docs lab old"),
        ("WEB", "web"),
        ("nginx", "web"),
        ("vim", "docs"),
        ("is:failed", "bad lab"),
        ("is:live", "web docs old"),
        ("is:stale", "old"),
        ("is:exited", "bad fine"),
        ("is:needy", "bad"),
        ("kind:room", "lab old"),
        ("kind:cont is:live", "web"),
        ("label:team=ml", "web"),
        ("label:team=web", ""),
        ("label:x", "web"),
        ("-kind:container", "docs lab old"),
        ("-is:failed kind:container", "web fine"),
        ("[/red]", ""),
        ("is:", ""),
        ("-", ""),
    ],
)
def test_what_fits(text: str, names: str) -> None:
    wanted = Filter(text, needing={Ref("container:bad")})
    assert [box.ref.name for box in wanted.of(BOXES)] == names.split()
