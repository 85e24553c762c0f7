"""A real engine that stops and comes back, under the eyes of the dashboard."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, Open
from tests.service import Service
from tests.support import TmuxServer, require_program

pytestmark = pytest.mark.timeout(180)

ANSWERS = r"containers [●○]\d"
"""An engine that answers, with or without a container."""


@pytest.fixture
def service(
    home: Path, podman_engine: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    require_program("podman")
    service = Service(home)
    service.start()
    monkeypatch.setenv("DOCKER_HOST", service.url)
    yield service
    service.close()


def test_an_engine_that_stops_turns_red_and_recovers(service: Service, terminal: Open) -> None:
    dashboard = terminal()
    dashboard.matches(ANSWERS)
    service.stop()
    dashboard.shows("containers ✕", timeout=30)

    service.start()
    dashboard.matches(ANSWERS, timeout=60)


def test_a_frozen_engine_costs_nobody_else(
    service: Service, tmux_server: TmuxServer, terminal: Open
) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("● work")
    dashboard.matches(ANSWERS)
    service.signal(signal.SIGSTOP)
    try:
        dashboard.shows("containers ✕", timeout=30)
        dashboard.press("2")
        tmux_server.run("send-keys", "-t", "=work:", "-l", "meanwhile")
        dashboard.shows("meanwhile")
    finally:
        service.signal(signal.SIGCONT)
    dashboard.matches(ANSWERS, timeout=60)


def test_the_command_line_says_what_is_wrong_and_lists_the_rest(
    service: Service, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("work", "cat")
    service.signal(signal.SIGSTOP)
    try:
        done = subprocess.run(
            [*PROGRAM, "ls"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=os.environ,
        )
    finally:
        service.signal(signal.SIGCONT)

    assert "tmux:work" in done.stdout
    assert "container" in done.stderr
