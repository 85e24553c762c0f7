"""What a tmux backend promises to be able to do, and that knowing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sandbox_tui.backends import base
from sandbox_tui.backends.tmux.backend import TmuxBackend

ABILITIES = (
    base.Backend,
    base.Wakes,
    base.Glances,
    base.Types,
    base.Follows,
    base.Screens,
    base.Attaches,
    base.Measures,
    base.Interrupts,
    base.Restarts,
    base.Inspects,
)


@pytest.mark.parametrize("ability", ABILITIES)
def test_what_it_can(ability: type) -> None:
    assert isinstance(TmuxBackend("x"), ability)


@pytest.mark.parametrize("inability", [base.Runs, base.Pauses, base.Notebooks, base.Shells])
def test_what_it_cannot(inability: type) -> None:
    assert not isinstance(TmuxBackend("x"), inability)


def test_the_protocols_are_met_to_the_letter() -> None:
    backend = TmuxBackend("x")
    duty: base.Backend = backend
    wakes: base.Wakes = backend
    glances: base.Glances = backend
    types: base.Types = backend
    follows: base.Follows = backend
    screens: base.Screens = backend
    attaches: base.Attaches = backend
    measures: base.Measures = backend
    interrupts: base.Interrupts = backend
    restarts: base.Restarts = backend
    inspects: base.Inspects = backend
    promises = (
        duty,
        wakes,
        glances,
        types,
        follows,
        screens,
        attaches,
        measures,
        interrupts,
        restarts,
    )
    assert {*promises, inspects} == {backend}


def test_importing_it_loads_no_libtmux() -> None:
    script = (
        "import sys, sandbox_tui.backends.tmux.backend\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'libtmux'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
