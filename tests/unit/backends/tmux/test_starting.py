"""What cannot be started as it is written is refused before anything is done."""

from __future__ import annotations

import pytest

from sandbox_tui.backends.tmux.starting import check
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.specs import TmuxSpec


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (TmuxSpec(name=""), "name"),
        (TmuxSpec(name="a.b"), "name"),
        (TmuxSpec(name="a:b"), "name"),
        (TmuxSpec(name="$3"), "name"),
        (TmuxSpec(name="a\0b"), "name"),
        (TmuxSpec(name="a\udcffb\ud800"), "name"),
        (TmuxSpec(name="a", command=""), "command"),
        (TmuxSpec(name="a", command=()), "command"),
        (TmuxSpec(name="a", command=("", "x")), "command"),
        (TmuxSpec(name="a", command="x\0"), "command"),
        (TmuxSpec(name="a", working_dir="/no/such/folder"), "working_dir"),
        (TmuxSpec(name="a", working_dir="/etc/passwd"), "working_dir"),
        (TmuxSpec(name="a", env={"": "x"}), "env"),
        (TmuxSpec(name="a", env={"A=B": "x"}), "env"),
        (TmuxSpec(name="a", env={"A": "x\0"}), "env"),
    ],
)
def test_bad_specs(spec: TmuxSpec, field: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        check(spec)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "spec",
    [
        TmuxSpec(name="[/red]x"),
        TmuxSpec(name="ünï 漢字 🎉"),
        TmuxSpec(name="=%5 -d"),
        TmuxSpec(name="a", command="echo hi", working_dir="~", env={"A": "", "B": "x=y"}),
        TmuxSpec(name="a", command=("true",)),
    ],
)
def test_good_specs(spec: TmuxSpec) -> None:
    check(spec)
