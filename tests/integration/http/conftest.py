"""A real `sandbox-tui serve` with real rooms, one for each file of tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import HOMES, STRANGERS
from tests.integration.http.kernel import Kernel

PROGRAM = str(Path(sys.executable).parent / "sandbox-tui")
PATIENCE = 30.0
SILENT = 35
"""Seconds; longer than the thirty after which JupyCell gave up."""


class Served(NamedTuple):
    """A server that answers."""

    url: str
    token: str
    process: subprocess.Popen[str]
    home: Path
    env: Mapping[str, str]

    def client(self, **options: Any) -> httpx.Client:
        """A client with patience and no proxy."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, **options)

    def command(self, *words: str) -> str:
        """What a command line says beside the server, as its user would ask."""
        done = subprocess.run(
            [PROGRAM, *words],
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout


@contextmanager
def homely(config: str = "") -> Iterator[tuple[Path, dict[str, str]]]:
    """A home and an environment of its own, whose daemon ends with it."""
    home = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    env = {key: value for key, value in os.environ.items() if key not in STRANGERS}
    for variable, name in HOMES.items():
        (home / name).mkdir(mode=0o700)
        env[variable] = str(home / name)
    (home / "config" / "sandbox-tui").mkdir()
    (home / "config" / "sandbox-tui" / "config.yml").write_text(config)
    try:
        yield home, env
    finally:
        stop = [PROGRAM, "daemon", "stop", "-q"]
        subprocess.run(stop, env=env, cwd=home, timeout=PATIENCE, check=False)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def serving(
    *options: str, config: str = "", command: str = "serve", kind: str = "room"
) -> Iterator[Served]:
    """A server in a home of its own; it is asked to stop at the end, and has to."""
    with homely(config) as (home, env), run_server(home, env, command, kind, *options) as served:
        yield served


@contextmanager
def run_server(
    home: Path, env: Mapping[str, str], command: str, kind: str, *options: str
) -> Iterator[Served]:
    """A server in that home; nothing there is touched when it ends."""
    port = [] if "--port" in options else ["--port", "0"]
    words = [PROGRAM, command, "--json", "--backend", kind, *port, *options]
    with (home / "server.log").open("a") as log:
        process = subprocess.Popen(
            words, env=env, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (home / "server.log").read_text()
        told = json.loads(line)
        yield Served(told["url"], told["token"], process, home, env)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE)
        process.stdout.close()
        assert code == 0, (home / "server.log").read_text()


@pytest.fixture(scope="session")
def silence() -> Iterator[Future[Any]]:
    """What a cell says that is silent for long; it runs beside all other tests."""
    code = f"import time; print('begin', flush=True); time.sleep({SILENT}); print('end')"
    with ThreadPoolExecutor(1) as pool, serving() as served, served.client() as http:
        kernel = Kernel(http)
        http.timeout = httpx.Timeout(2 * SILENT)
        yield pool.submit(kernel.run, code)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server without a token."""
    with serving() as served:
        yield served


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    """A client of it."""
    with server.client() as client:
        yield client
