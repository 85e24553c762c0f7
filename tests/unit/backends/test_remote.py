"""What a server that runs commands is reached by."""

from __future__ import annotations

import pytest

from sandbox_tui.backends.remote import RemoteServer
from sandbox_tui.model.errors import InvalidSpecError


@pytest.mark.parametrize("url", ["", "lab:8000", "ftp://lab", "http://", "http://[", "http://a:x"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidSpecError):
        RemoteServer(url)


@pytest.mark.parametrize("token", ["sesam\r\nX-Evil: 1", "sésam", "\x00"])
def test_a_token_that_no_header_can_carry_is_refused_untold(token: str) -> None:
    with pytest.raises(InvalidSpecError) as refusal:
        RemoteServer("http://127.0.0.1:1", token)
    assert token not in str(refusal.value)
