"""An engine that is reached over TCP, with certificates or without, and what is named is final."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker
from tests.integration.containers.gates import Gate, authority
from tests.support import Engine


@on_docker
async def test_everything_works_with_certificates(
    tls_gate: Gate, certificates: Path, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{tls_gate.address}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    ref = Ref.make(Kind.CONTAINER, outside.shell("echo hi; sleep 1000"))
    backend = ContainerBackend()
    try:
        assert tls_gate.address in (await backend.probe()).detail
        assert ref in [box.ref for box in await backend.poll()]
        result = await (await backend.execute(ref, "echo inside"))
        assert result.stdout == "inside\n"
        texts = [text.text async for text in backend.follow(ref, live=False)]
        assert texts == ["hi\n"]
    finally:
        await backend.aclose()


@on_docker
async def test_a_stranger_is_not_talked_to(
    tls_gate: Gate, certificates: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (certificates / "ca.pem").rename(certificates / "other.pem")
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{tls_gate.address}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    backend = ContainerBackend()
    missing = await backend.probe()
    assert "certificates in" in missing.detail
    assert "No such file" in missing.detail

    authority(certificates, "ca")  # of the same name, and another one
    refused = await backend.probe()
    assert not refused.ok
    assert "certificate verify failed" in refused.detail
    await backend.aclose()


@on_docker
async def test_without_certificates_it_is_plain(gate: Gate, engine: Engine) -> None:
    backend = ContainerBackend(f"tcp://{gate.address}")
    try:
        assert (await backend.probe()).ok
        await backend.poll()
    finally:
        await backend.aclose()


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("tcp://127.0.0.1:1", "refused"),
        ("unix:///tmp/st-no-such.sock", "no such file"),
        ("tcp://st-no-such-host.invalid:2375", "unknown host"),
        ("npipe:////./pipe/docker", "it is none of unix://"),
        ("tcp://host:port", "Port could not be cast"),
    ],
)
async def test_what_is_named_and_not_there_is_not_replaced_by_another(
    named: str, reason: str, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", named)
    for backend in (ContainerBackend(), ContainerBackend(named, where="far")):
        health = await backend.probe()
        assert not health.ok
        assert reason in health.detail
        await backend.aclose()
