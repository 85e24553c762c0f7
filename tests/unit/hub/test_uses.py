"""When a container was used last, as all programs see it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from sandbox_tui.hub.uses import FORGOTTEN, Uses
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


@pytest.fixture
def uses(tmp_path: Path) -> Uses:
    return Uses(tmp_path / "used")


def test_a_use_is_known_to_others_once_it_is_written(uses: Uses, tmp_path: Path) -> None:
    others = Uses(tmp_path / "used")
    assert others.last("1") is None
    uses.note("1")
    assert others.last("1") is None
    uses.write()
    assert others.last("1") == pytest.approx(time.time(), abs=5)


async def test_it_is_in_use_for_as_long_as_a_command_runs(uses: Uses) -> None:
    execution = Execution(Ref("container:web"), "sleep 1")
    using = asyncio.create_task(uses.during("1", execution))
    await asyncio.sleep(0)

    assert uses.is_held("1")
    execution.finish(Outcome.OK)
    await using
    assert not uses.is_held("1")


def test_a_later_use_is_not_made_earlier(uses: Uses, tmp_path: Path) -> None:
    uses.note("1")
    uses.write()
    later = time.time() + 100
    os.utime(tmp_path / "used/1", (later, later))
    uses.note("1")
    uses.write()

    assert uses.last("1") == pytest.approx(later)


def test_only_what_is_gone_and_old_is_forgotten(uses: Uses, tmp_path: Path) -> None:
    for key in ("there", "gone", "young"):
        uses.note(key)
    uses.write()
    old = time.time() - FORGOTTEN - 1
    for key in ("there", "gone"):
        os.utime(tmp_path / "used" / key, (old, old))

    uses.forget({"there"})

    assert sorted(file.name for file in (tmp_path / "used").iterdir()) == ["there", "young"]


def test_what_cannot_be_written_is_known_here_and_written_when_it_can_be(
    uses: Uses, tmp_path: Path
) -> None:
    (tmp_path / "used").write_text("in the way")
    uses.note("1")
    uses.write()
    uses.forget({"1"})
    assert uses.last("1") == pytest.approx(time.time(), abs=5)

    (tmp_path / "used").unlink()
    uses.write()
    assert Uses(tmp_path / "used").last("1") == uses.last("1")
