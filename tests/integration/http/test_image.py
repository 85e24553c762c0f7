"""The Dockerfile: built on a base without any registry, and run as the compose file runs it."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.integration.http.kernel import Kernel, text
from tests.support import Engine, lack, require_program, retry_until

ROOT = Path(__file__).parents[3]
PYTHON = "sandbox-tui-test/python"
LABEL = "st-http-image"

BASE = f"""
FROM {PYTHON}
USER root
COPY site /usr/local/lib/python3.11/dist-packages
ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0
LABEL {LABEL}=1
"""
"""An image with pip and with what the program needs: both are in this environment already."""

LEFT_OUT = ["__pycache__", "tests", "third_party", "*.pth", "sandbox_tui*", "_sandbox_tui*"]
LEFT_OUT += ["__editable__*", "nodejs*", "playwright*", "pyright*", "jsonschema_rs*", "ruff*"]


COMPOSE = [shutil.which("docker-compose") or "docker-compose"]


def docker(*words: str) -> str:
    """What Docker's command line says."""
    return run([require_program("docker"), *words])


def run(words: list[str]) -> str:
    """What a command says that has to succeed."""
    env = {**os.environ, "SANDBOX_TUI_TOKEN": "sesam"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image."""
    del docker_engine
    version = docker("run", "--rm", PYTHON, "python3", "-c", "import sys; print(sys.version[:4])")
    if not sys.version.startswith(version):
        lack(f"{PYTHON} has Python {version}, this is {sys.version[:4]}")
    folder = tmp_path_factory.mktemp("base")
    (folder / "Dockerfile").write_text(BASE)
    ours = Path(site.getsitepackages()[0])
    shutil.copytree(ours, folder / "site", ignore=shutil.ignore_patterns(*LEFT_OUT))
    base, made = (f"{LABEL}-{kind}:{uuid.uuid4().hex[:8]}" for kind in ("base", "serve"))
    try:
        docker("build", "--force-rm", "-q", "-t", base, str(folder))
        docker("build", "--force-rm", "-q", "-t", made, "--build-arg", f"BASE={base}", str(ROOT))
        yield made
    finally:
        subprocess.run(["docker", "rmi", "-f", made, base], capture_output=True, check=False)


@pytest.fixture
def http(image: str) -> Iterator[httpx.Client]:
    """A client of a container that is as shut in as in the compose file."""
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["serve"]
    assert service["read_only"]
    words = ["--read-only", "--init", "--env", "SANDBOX_TUI_TOKEN=sesam", "--label", LABEL]
    words += [f"--cap-drop={name}" for name in service["cap_drop"]]
    words += [f"--security-opt={option}" for option in service["security_opt"]]
    words += [f"--tmpfs={place}" for place in service["tmpfs"]]
    words += [f"--pids-limit={service['pids_limit']}", "--publish", "127.0.0.1::8000"]
    container = docker("run", "--detach", *words, image)
    try:
        port = docker("port", container, "8000").rpartition(":")[2]
        headers = {"authorization": "Bearer sesam"}
        where = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=where, headers=headers, timeout=30, trust_env=False) as client:
            client.headers["x-container"] = container
            retry_until(lambda: _answers(client), 20)
            yield client
    finally:
        docker("rm", "--force", "--volumes", container)


@pytest.fixture
def composed(image: str, tmp_path: Path) -> Iterator[list[str]]:
    """The compose file brought up, with that image and a free port: how to say more to it."""
    described = yaml.safe_load((ROOT / "compose.yaml").read_text())
    service = described["services"]["serve"]
    del service["build"]
    service |= {"image": image, "ports": ["127.0.0.1::8000"], "labels": {LABEL: "1"}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(described))
    words = [*COMPOSE, "-p", f"st{uuid.uuid4().hex[:8]}", "-f", str(tmp_path / "compose.yaml")]
    try:
        run([*words, "up", "--detach"])
        yield words
    finally:
        run([*words, "down", "--volumes", "--timeout", "2"])


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.timeout(180)
def test_it_serves_kernels_as_a_user_of_its_own(http: httpx.Client) -> None:
    container = http.headers["x-container"]
    assert docker("exec", container, "id", "-u") == "10001"
    assert http.get("/v1/world", headers={"authorization": ""}).status_code == 401

    kernel = Kernel(http)
    assert text(kernel.run("import os; print(os.getuid())")) == "10001\n"
    assert "ename" in kernel.run("open('/etc/x', 'w')")["outputs"][-1]
    assert kernel.room in docker("exec", container, "sandbox-tui", "ls")
    docker("stop", "--time", "10", container)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"


@pytest.mark.timeout(180)
@pytest.mark.skipif(not shutil.which("docker-compose"), reason="no docker-compose")
def test_the_compose_file_serves_and_keeps_its_cells(composed: list[str]) -> None:
    headers = {"authorization": "Bearer sesam"}
    with httpx.Client(headers=headers, timeout=30, trust_env=False) as http:
        http.base_url = f"http://{run([*composed, 'port', 'serve', '8000'])}"
        retry_until(lambda: _answers(http), 20)
        kernel = Kernel(http)
        assert text(kernel.run("print(6 * 7)")) == "42\n"

        run([*composed, "restart", "--timeout", "10"])
        http.base_url = f"http://{run([*composed, 'port', 'serve', '8000'])}"
        retry_until(lambda: _answers(http), 20)
        told = http.get(f"/v1/rooms/{kernel.room}").json()["cells"][0]
        assert told["run"]["outputs"][0]["text"] == "42\n"
