"""A registry of images on this machine, as the distribution API has it, that can misbehave."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CONFIG = "application/vnd.docker.container.image.v1+json"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed tar of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class Registry:
    """Serves one image under any name but those it is told to refuse.

    `ways` says what happens for a repository: `missing`, `private`, `broken`, `cut`, `hangs`.
    """

    def __init__(self) -> None:
        self.ways: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self._blobs: dict[str, bytes] = {}
        self._stop = threading.Event()
        self.manifest = self._image([layer({"one": os.urandom(8 * 2**20)}), layer({"two": b"2"})])
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                registry.answer(self)

            def do_HEAD(self) -> None:
                registry.answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        repository = path.removeprefix("/v2/").partition("/")[0]
        self.asked.append((path, request.headers.get("Authorization", "")))
        way = self.ways.get(repository, "")
        private = "private" in self.ways.values()
        if private and not request.headers.get("Authorization"):
            body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
            self._say(request, 401, body, {"WWW-Authenticate": 'Basic realm="test"'})
        elif path == "/v2/":
            self._say(request, 200, b"{}")
        elif way == "hangs" and "/blobs/" in path:
            self._stop.wait(60)
        elif way == "broken":
            self._say(request, 500, b'{"errors":[{"code":"UNKNOWN","message":"it is on fire"}]}')
        elif "/manifests/" in path and way != "missing":
            self._say(request, 200, self.manifest, {"Content-Type": _MANIFEST})
        elif "/blobs/" in path and (blob := self._blobs.get(path.rpartition("/")[2])):
            self._say(request, 200, blob, cut=way == "cut" and len(blob) > 2**16)
        else:
            self._say(request, 404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}')

    def _say(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: Mapping[str, str] = {},
        *,
        cut: bool = False,
    ) -> None:
        request.send_response(status)
        said = {"Docker-Content-Digest": digest(body), "Content-Type": "application/json"}
        for name, value in {**said, **headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "HEAD":
            return
        if cut:
            request.wfile.write(body[: len(body) // 2])
            request.close_connection = True
            return
        for at in range(0, len(body), 2**17):
            request.wfile.write(body[at : at + 2**17])
            time.sleep(0.01 if len(body) > 2**17 else 0)

    def _image(self, layers: list[bytes]) -> bytes:
        packed = [gzip.compress(each, 1) for each in layers]
        config = json.dumps({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"test": "sandbox-tui"}},
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
            "history": [{"created_by": "test"} for _ in layers],
        }).encode()  # fmt: skip
        for blob in (*packed, config):
            self._blobs[digest(blob)] = blob
        return json.dumps({
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest(config)},
            "layers": [
                {"mediaType": _LAYER, "size": len(each), "digest": digest(each)} for each in packed
            ],
        }).encode()  # fmt: skip
