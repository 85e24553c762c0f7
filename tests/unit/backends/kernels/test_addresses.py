"""Addresses of Jupyter servers: as they are printed, and as running servers note them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.foreign.address import parse_address, servers


@pytest.mark.parametrize(
    ("text", "url", "token", "where"),
    [
        ("http://gpu1:8888/?token=abc", "http://gpu1:8888/", "abc", "gpu1:8888"),
        ("http://gpu1:8888", "http://gpu1:8888/", "", "gpu1:8888"),
        ("http://gpu1:8888/lab?token=abc", "http://gpu1:8888/", "abc", "gpu1:8888"),
        ("http://gpu1:8888/tree?a=1&token=a%2Fb#x", "http://gpu1:8888/", "a/b", "gpu1:8888"),
        ("https://hub/user/ann/lab", "https://hub/user/ann/", "", "hub/user/ann"),
        ("http://[::1]:8888/?token=abc", "http://[::1]:8888/", "abc", "[::1]:8888"),
    ],
)
def test_an_address_is_taken_as_jupyter_prints_it(
    text: str, url: str, token: str, where: str
) -> None:
    address = parse_address(text)
    assert (address.url, address.token, address.where) == (url, token, where)
    assert not token or token not in repr(address)


def note(folder: Path, name: str, port: int, **said: object) -> None:
    about = {"url": f"http://localhost:{port}/", "pid": os.getpid(), "token": "abc", **said}
    (folder / name).write_text(json.dumps(about))


def test_running_servers_are_found_by_their_notes(home: Path) -> None:
    folder = home / "kernels"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note(folder, "jpserver-1.json", 1)
    note(folder, "nbserver-2.json", 2, token="", password=False, sock="")
    note(folder, "jpserver-3.json", 3, pid=dead.pid)
    note(folder, "jpserver-4.json", 4, token="", password=True)
    note(folder, "jpserver-5.json", 5, sock="/run/jupyter.sock")
    note(folder, "kernel-6.json", 6)
    (folder / "jpserver-7.json").write_text('{"url": ')
    (folder / "jpserver-8.json").write_bytes(b"\xff")
    assert [address.where for address in servers([])] == ["localhost:1", "localhost:2"]


def test_a_server_that_is_named_is_not_repeated(home: Path) -> None:
    note(home / "kernels", "jpserver-1.json", 1)
    named = ["https://gpu1/?token=x", "http://localhost:1/?token=mine"]
    assert [(a.where, a.token) for a in servers(named)] == [("gpu1", "x"), ("localhost:1", "mine")]
