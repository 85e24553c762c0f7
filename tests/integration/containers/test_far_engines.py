"""An engine that is reached over TCP, with certificates or without, and what is named is final."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker
from tests.support import Engine, require_program

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Gate:
    """A port of this machine that leads to an engine's socket, with TLS when there is a context."""

    def __init__(self, engine: Path, context: ssl.SSLContext | None = None) -> None:
        self._engine = engine
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._lead, args=(caller,), daemon=True).start()

    def _lead(self, caller: socket.socket) -> None:
        self._open.append(caller)
        with suppress(OSError):
            if self._context is not None:
                caller = self._context.wrap_socket(caller, server_side=True)
                self._open.append(caller)
            engine = socket.socket(socket.AF_UNIX)
            self._open.append(engine)
            engine.connect(str(self._engine))
            back = threading.Thread(target=_pass, args=(engine, caller), daemon=True)
            back.start()
            _pass(caller, engine)
            back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def openssl(folder: Path, *words: str) -> None:
    program = require_program("openssl")
    subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    """Somebody who signs certificates."""
    files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *KEY, *files, "-subj", "/CN=ca")


@pytest.fixture
def certificates(home: Path) -> Path:
    """A folder as docker wants it, and the server's own pair in it."""
    folder = home / "certs"
    folder.mkdir()
    authority(folder, "ca")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for files in (("server.key", "server.pem"), ("key.pem", "cert.pem")):
        openssl(folder, "req", *KEY, "-keyout", files[0], "-out", "csr", "-subj", "/CN=me")
        signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san")
        openssl(folder, "x509", "-req", "-in", "csr", *signed_by, "-out", files[1])
    return folder


@pytest.fixture
def tls_gate(docker_engine: Engine, certificates: Path) -> Iterator[Gate]:
    """Docker behind TLS, for callers with a certificate of the same authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    gate = Gate(docker_engine.socket, context)
    yield gate
    gate.close()


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
async def test_without_certificates_it_is_plain(docker_engine: Engine, engine: Engine) -> None:
    gate = Gate(docker_engine.socket)
    backend = ContainerBackend(f"tcp://{gate.address}")
    try:
        assert (await backend.probe()).ok
        await backend.poll()
    finally:
        await backend.aclose()
        gate.close()


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
