"""Typing: every byte arrives, in order, at the program."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.model.errors import InvalidSpecError, NotRunningError
from sandbox_tui.model.refs import Ref
from tests.integration.tmux.conftest import Watch
from tests.support import TmuxServer, retry_until_async

WEB = Ref("tmux:web")


@pytest.fixture
async def typed(backend: TmuxBackend, tmux_server: TmuxServer, home: Path) -> Path:
    """What the program in `web` has read, byte for byte."""
    out = home / "typed"
    tmux_server.new_session("web", f"stty raw -echo; printf ready; exec cat > {out}")
    await Watch(backend, WEB).shows("ready")
    return out


def read(path: Path) -> bytes:
    return path.read_bytes()


async def arrived(path: Path, expected: bytes) -> bytes:
    """What was read, once it is at least so much."""
    await retry_until_async(lambda: len(read(path)) >= len(expected))
    return read(path)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "-l looks like a flag",
        "ends with a semicolon;",
        "\\;",
        ";",
        "two\nlines\n",
        "ünï 漢字 🎉",
        "#{pid} #(touch pwned) $HOME `x` 'q' \"q\" \\ ~",
        "Enter",
        "C-c",
        "tab\tand \x1b[A escape",
        " ",
    ],
)
async def test_text_arrives_as_it_is(backend: TmuxBackend, typed: Path, text: str) -> None:
    await backend.type(WEB, text)
    assert await arrived(typed, text.encode() + b"\r") == text.encode() + b"\r"


async def test_without_enter(backend: TmuxBackend, typed: Path) -> None:
    await backend.type(WEB, "abc", enter=False)
    await backend.type(WEB, "", enter=False)
    await backend.type(WEB, "", enter=True)
    assert await arrived(typed, b"abc\r") == b"abc\r"


async def test_a_long_text_arrives_whole(backend: TmuxBackend, typed: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    await backend.type(WEB, text, enter=False)
    assert await arrived(typed, text.encode()) == text.encode()


async def test_two_typists_do_not_mix(backend: TmuxBackend, typed: Path) -> None:
    texts = [letter * 500 for letter in "abcdef"]
    await asyncio.gather(*(backend.type(WEB, text) for text in texts))
    said = await arrived(typed, b"x" * 6 * 501)

    assert sorted(said.decode().split("\r")) == ["", *texts]


async def test_it_arrives_though_somebody_scrolls(
    backend: TmuxBackend, tmux_server: TmuxServer, typed: Path
) -> None:
    tmux_server.run("copy-mode", "-t", "=web:")
    await backend.type(WEB, "q for quit")
    assert await arrived(typed, b"q for quit\r") == b"q for quit\r"
    assert tmux_server.run("display-message", "-pt", "=web:", "#{pane_in_mode}") == "1"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("C-c", b"\x03"),
        ("Enter", b"\r"),
        ("Up", b"\x1b[A"),
        ("M-x", b"\x1bx"),
        ("Escape", b"\x1b"),
        ("Space", b" "),
        ("BSpace", b"\x7f"),
        ("F1", b"\x1bOP"),
        ("a", b"a"),
        (";", b";"),
        ("-", b"-"),
        ("é", "é".encode()),
        ("c-D", b"\x04"),
    ],
)
async def test_keys(
    backend: TmuxBackend, tmux_server: TmuxServer, typed: Path, key: str, sent: bytes
) -> None:
    tmux_server.run("copy-mode", "-t", "=web:")
    await backend.press(WEB, key)
    assert await arrived(typed, sent) == sent


@pytest.mark.parametrize("key", ["", "Entr", "ab", "C-", "C-ab", "Up Down", "\n", "F99"])
async def test_what_is_no_key_is_not_typed(backend: TmuxBackend, typed: Path, key: str) -> None:
    with pytest.raises(InvalidSpecError):
        await backend.press(WEB, key)
    assert read(typed) == b""


async def test_no_buffer_is_left(
    backend: TmuxBackend, tmux_server: TmuxServer, typed: Path
) -> None:
    await backend.type(WEB, "secret")
    assert tmux_server.run("list-buffers") == ""


async def test_a_pane_that_dies_while_it_is_typed_into_takes_nobody_along(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    """In tmux 3.3a a paste into a dead pane ends the whole server."""
    tmux_server.run("set-option", "-g", "remain-on-exit", "on")
    tmux_server.new_session("other", "sleep", "1000")
    tmux_server.new_session("web", "read x")
    pid = tmux_server.pid
    for _ in range(15):
        await Watch(backend, WEB).until("running")
        typists = (backend.type(WEB, "x") for _ in range(4))
        answers = await asyncio.gather(*typists, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {type(None), NotRunningError}
        await Watch(backend, WEB).until("exited")
        tmux_server.run("respawn-pane", "-t", "=web:")

    assert tmux_server.pid == pid
    assert tmux_server.run("list-buffers") == ""
