"""Every error has a status of its own or of an ancestor's."""

from __future__ import annotations

import pytest

from sandbox_tui.model import errors
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.server.http.errors import STATUS, status_of

LEAVES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SandboxError) and not kind.__subclasses__()
]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_error_has_a_status(leaf: type[SandboxError]) -> None:
    assert set(leaf.__mro__) & set(STATUS)
    assert 400 <= status_of(leaf.__new__(leaf)) < 600


def test_no_status_is_for_nothing() -> None:
    assert all(issubclass(kind, SandboxError) for kind in STATUS)
    assert status_of(SandboxError("?")) == 500
