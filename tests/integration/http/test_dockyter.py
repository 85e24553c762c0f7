"""Dockyter's API contract over a real engine."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.http.conftest import Served, serving
from tests.support import Engine, retry_until

IMAGE = "sandbox-tui-test/busybox"


@pytest.fixture(scope="module")
def server(docker_engine: Engine) -> Iterator[Served]:
    """A server over Docker."""
    del docker_engine
    with serving(kind="container") as served:
        yield served


def execute(
    http: httpx.Client, cmd: str, args: str = f"--label st-http=1 {IMAGE}"
) -> httpx.Response:
    return http.post("/execute", json={"cmd": cmd, "args": args})


def test_health(http: httpx.Client) -> None:
    assert http.get("/health").json() == {"status": "ok"}


def test_a_command_runs_in_a_container_that_is_gone_afterwards(http: httpx.Client) -> None:
    answer = execute(http, "echo $0 | tr a-z A-Z; echo oh >&2; cd /tmp && pwd; exit 3")

    assert answer.json() == {"stdout": "SH\n/tmp\n", "stderr": "oh\n"}
    assert answer.headers["x-exit-code"] == "3"
    retry_until(lambda: not [box for box in _containers(http) if "once-" in box])


def _containers(http: httpx.Client) -> list[str]:
    return [box["ref"] for box in http.get("/v1/world").json()["sandboxes"]]


@pytest.mark.parametrize(
    "args",
    [
        f"--privileged {IMAGE}",
        f"--net host {IMAGE}",
        f"-v /:/host {IMAGE}",
        f"'--pid'=host {IMAGE}",
        f"--mount type=bind,src=/var/run/docker.sock,dst=/s {IMAGE}",
    ],
)
def test_the_policy_is_kept_here_too(http: httpx.Client, args: str) -> None:
    answer = execute(http, "echo never", args)

    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "PolicyError"


@pytest.mark.parametrize("args", ["", "--nonsense x", f"{IMAGE} sh", f"'{IMAGE}", "-v"])
def test_arguments_that_mean_nothing_are_refused(http: httpx.Client, args: str) -> None:
    answer = execute(http, "echo never", args)

    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) == {"type", "message", "hint"}


def test_who_hangs_up_ends_the_container(http: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        http.post(
            "/execute",
            json={"cmd": "sleep 100", "args": f"--name st-http-left {IMAGE}"},
            timeout=1.5,
        )
    retry_until(lambda: not [box for box in _containers(http) if "st-http-left" in box], 15)
