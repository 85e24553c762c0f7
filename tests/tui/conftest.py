"""The machine that dashboard tests look at."""

from __future__ import annotations

import pytest

from tests.tui.machine import Machine


@pytest.fixture
def bare() -> Machine:
    """Nothing runs."""
    return Machine()


@pytest.fixture
async def machine(bare: Machine) -> Machine:
    """Two sandboxes of each kind."""
    return await bare.furnish()
