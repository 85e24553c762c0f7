"""Ports of this machine that lead to an engine, as if it were far away."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from tests.support import require_program

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


def certify(folder: Path) -> None:
    """Make what docker wants in a folder, and the server's own pair."""
    authority(folder, "ca")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for files in (("server.key", "server.pem"), ("key.pem", "cert.pem")):
        openssl(folder, "req", *KEY, "-keyout", files[0], "-out", "csr", "-subj", "/CN=me")
        signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san")
        openssl(folder, "x509", "-req", "-in", "csr", *signed_by, "-out", files[1])
