"""The server keeps to its own description: schemathesis tries to find where it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.http.conftest import Served, serving

PROGRAM = str(Path(sys.executable).parent / "schemathesis")
EXAMPLES = 3

SETTINGS = """
[parameters]
name = "lab"
ref = "room:lab"
follow = false

# A schema cannot say which names, images and numbers mean something to this machine.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "400", "404", "409", "429"]
"""

LEFT_OUT = (
    ("--exclude-path", "/v1/events"),  # has no end
    ("--exclude-path", "/execute"),  # needs an engine
    ("--exclude-operation-id", "remove_v1_rooms__name__delete"),  # the others need the room
)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server over rooms, of which only a few may live."""
    with serving(config="server: {kernels: 3}") as served:
        yield served


@pytest.mark.timeout(120)
def test_schemathesis_finds_nothing(server: Served) -> None:
    with server.client() as http:
        http.post("/v1/rooms", json={"name": "lab"})
        http.post("/v1/rooms/lab/cells", json={"source": "1 + 1"})
    (server.home / "schemathesis.toml").write_text(SETTINGS)
    command = [PROGRAM, "run", f"{server.url}/openapi.json", "--no-color", "--seed", "1"]
    command += ["--max-examples", str(EXAMPLES), "--request-timeout", "10"]
    command += [word for option in LEFT_OUT for word in option]
    done = subprocess.run(
        command,
        cwd=server.home,
        env=server.env,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert "Tested: " in done.stdout
