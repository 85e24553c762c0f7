"""When the kernel console reads on."""

from __future__ import annotations

import pytest

from sandbox_tui.cli.console import wants_more


@pytest.mark.parametrize("code", ["def f():", "def f():\n  return 1", "x = (", "'''a", "if x:\n"])
def test_unfinished_code_wants_more(code: str) -> None:
    assert wants_more(code)


@pytest.mark.parametrize(
    "code", ["", "1+1", "def f():\n  return 1\n", "await x", "%time (", "!ls (", "1 +* 2", "\0"]
)
def test_finished_or_hopeless_code_does_not(code: str) -> None:
    assert not wants_more(code)
