"""Patience: late in the alphabet, so that what it waits for has nearly happened."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from tests.integration.http.conftest import SILENT
from tests.integration.http.kernel import text


@pytest.mark.timeout(90)
def test_a_silent_cell_returns_all_of_it(silence: Future[Any]) -> None:
    assert text(silence.result(SILENT + 10)) == "begin\nend\n"
