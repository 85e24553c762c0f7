"""Documents are left in circles here, and not closed: they go in the thread that made them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _documents_go() -> Iterator[None]:
    yield
    gc.collect()
