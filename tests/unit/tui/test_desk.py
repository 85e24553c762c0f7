"""What a person is told when worlds follow each other."""

from __future__ import annotations

import pytest

from sandbox_tui.model.world import Health, World
from sandbox_tui.tui.desk import Desk

WELL = Health(place="room", ok=True)
FULL = Health(
    place="room", ok=True, impaired=True, detail="room:lab is not saved", hint="Make room"
)
LOST = Health(place="room", ok=False, detail="no answer")


@pytest.mark.parametrize(
    ("before", "after", "title", "words"),
    [
        (WELL, FULL, "room is impaired", "room:lab is not saved"),
        (FULL, WELL, "", "room is well again"),
        (FULL, LOST, "room is lost", "no answer"),
        (LOST, FULL, "room is impaired", "Make room"),
        (LOST, WELL, "", "room answers again"),
    ],
)
def test_a_turn_of_a_backend_is_told(before: Health, after: Health, title: str, words: str) -> None:
    desk = Desk()
    desk.take(World(1, health=(before,)), 1.0)
    [notice] = desk.take(World(2, health=(after,)), 2.0)
    assert notice.title == title
    assert words in notice.text
    assert desk.take(World(3, health=(after,)), 3.0) == []
