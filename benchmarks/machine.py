"""The machine a table was measured on: figures of two machines are not to be compared."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PEERS = ("libtmux", "docker", "kstlib", "textual")


def machine() -> dict[str, str]:
    """Everything worth knowing, as words."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "tmux": _first_line("tmux", "-V").removeprefix("tmux "),
        "engine": _engine(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in PEERS),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _engine() -> str:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=5)
        return f"docker {client.version()['Version']}"
    except DockerException as error:
        return f"none ({type(error).__name__})"


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except OSError:
        return "none"
    return done.stdout.strip()
