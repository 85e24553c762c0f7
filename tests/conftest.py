"""Every test gets a home of its own; the run ends with what ran in each layer."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.support import Engine, TmuxServer, require_engine, require_program

HERE = Path(__file__).parent
LAYERS = ("unit", "contract", "integration", "tui", "e2e", "golden", "docs")
HOUSE = "house"
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")

HOMES = {
    "HOME": "home",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
    "JUPYTER_RUNTIME_DIR": "kernels",
    "SANDBOX_TUI_HOME": "app",
    "TMUX_TMPDIR": "tmux",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_RUNTIME_DIR": "run",
    "XDG_STATE_HOME": "state",
}
STRANGERS = (
    "COLUMNS",
    "DOCKYTER_CONFIG",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "RUNTIMED_SOCKET_PATH",
    "SANDBOX_TUI_SOCKET",
    "TMUX",
    "TMUX_PANE",
)


# On a busy machine an example may take any time; the whole test has its own end.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="module")
def _documents_go() -> Iterator[None]:
    """Documents that are left in circles go in the thread that made them, as they have to."""
    yield
    if "pycrdt" in sys.modules:
        gc.collect()


# --- a home for each test ---------------------------------------------------------------------


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Point all that a program reads or leaves behind at one short folder.

    Short, because a unix socket's path has to stay under 108 bytes wherever pytest keeps its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    for variable, name in HOMES.items():
        (folder / name).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(folder / name))
    for variable in STRANGERS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def _no_blocking_calls() -> Iterator[None]:
    """Fail when the package makes a blocking call on an event loop."""
    with blockbuster_ctx("sandbox_tui") as blockbuster:
        for function in blockbuster.functions.values():
            function.can_block_in("sandbox_tui/backends/kernels/provisioned.py", "_foreign")
        yield


# --- engines ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def docker_engine() -> Engine:
    """Docker, answering."""
    return require_engine("docker")


@pytest.fixture(scope="session")
def podman_engine() -> Engine:
    """Podman's service, answering."""
    return require_engine("podman")


@pytest.fixture
def tmux_servers(home: Path) -> Iterator[Callable[[str], TmuxServer]]:
    """Return a maker of running servers, by socket name; all end with the test."""
    require_program("tmux")
    started: list[TmuxServer] = []

    def start(name: str) -> TmuxServer:
        server = TmuxServer(home / HOMES["TMUX_TMPDIR"], name)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def tmux_server(tmux_servers: Callable[[str], TmuxServer]) -> TmuxServer:
    """A real server without sessions, where tmux looks by default in this test's environment."""
    return tmux_servers("default")


# --- layers -----------------------------------------------------------------------------------


def layer_of(file: str) -> str:
    """Return the layer of a test file: its folder, or its own name (``test_docs.py``)."""
    place = Path(file).parts[1:]
    name = place[0].removeprefix("test_").removesuffix(".py") if place else HOUSE
    return name if name in LAYERS else HOUSE


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its layer, so that ``-m unit`` and ``tests/unit`` are one."""
    for item in items:
        layer = layer_of(item.nodeid.partition("::")[0])
        if layer in LAYERS:
            item.add_marker(layer)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests of each layer ran."""
    counts = {
        outcome: Counter(
            layer_of(report.nodeid.partition("::")[0])
            for report in terminalreporter.stats.get(outcome, [])
        )
        for outcome in OUTCOMES
    }
    terminalreporter.section("tests of each layer")
    for layer in (*LAYERS, HOUSE):
        told = [f"{n} {outcome}" for outcome, seen in counts.items() if (n := seen[layer])]
        terminalreporter.write_line(f"{layer:<12} {', '.join(told) or 'none'}")
