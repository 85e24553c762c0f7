"""Kernels of a Jupyter server, by its REST API and a WebSocket each; see jupyter-server's docs.

Asking leaves no trace there: it does not count as activity, so a server that ends its idle kernels,
or itself, does so in time.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import time
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from sandbox_tui.backends.kernels.channels import Channels, Deliver, OpenChannels
from sandbox_tui.backends.kernels.foreign.address import ServerAddress
from sandbox_tui.backends.kernels.foreign.discovery import runtime_folder
from sandbox_tui.backends.kernels.foreign.source import FoundKernel, Lost
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.refs import Kind, Place
from sandbox_tui.model.world import RoomFacts, State
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

T = TypeVar("T")

RECHECK = 2.0
"""Seconds between two questions to one server."""

PATIENCE = 3.0
"""Longest wait for an answer, in seconds."""

PING = 10.0
"""Seconds between two signs of life of a joined kernel's socket."""

LONGEST_MESSAGE = 512 * 1024 * 1024
"""Bytes of one message of a kernel; a longer one ends its socket."""

_LOADING = 20.0
"""Longest wait for the library and a look at the folder, in seconds."""

_CLOSED = (301, 302, 303, 307, 308, 401, 403)
"""A server that does not know who asks forbids it, or leads to its login."""

_NO_SERVER = "no Jupyter server is at that address"

_HINT = "Start it, or take its address out of backends.room.servers."

_TOKEN = "Write its address with ?token=…, as `jupyter server list` prints it."

_STATES = {"busy": State.BUSY, "idle": State.IDLE}


class _Kernel(msgspec.Struct):
    id: str
    name: str = ""
    execution_state: str = ""
    connections: int = 0


class _Owner(msgspec.Struct):
    id: str = ""


class _Session(msgspec.Struct):
    path: str = ""
    kernel: _Owner | None = None


class JupyterServer:
    """A `Source` that asks one server.

    A kernel whose connection file is in Jupyter's folder here is left to `ConnectionFiles`: it is
    listed once, and spoken with directly.
    """

    def __init__(self, address: ServerAddress, folder: Path | None = None) -> None:
        self.where = address.where
        self._address = address
        self._folder = folder
        self._found: list[FoundKernel] = []
        self._asked_at = float("-inf")
        self._client: AsyncHTTPClient | None = None
        self._tls: ssl.SSLContext | None = None
        self._pool = Pool(f"Jupyter server {self.where}", 1)

    @property
    def about(self) -> str:
        """The server, without its token."""
        return f"Jupyter server at {self._address.url}"

    async def living(self) -> list[FoundKernel]:
        """Every kernel of the server that is not of this machine."""
        if time.monotonic() - self._asked_at < RECHECK:
            return self._found
        kernels = await self._kernels()
        paths = {
            session.kernel.id: session.path
            for session in await self._sessions()
            if session.kernel is not None
        }
        here = await self._known_here()
        fresh = [
            self._kernel(kernel, paths.get(kernel.id, ""))
            for kernel in kernels
            if _name(kernel) not in here and kernel.execution_state != "dead"
        ]
        self._asked_at = time.monotonic()
        if fresh != self._found:
            self._found = fresh
        return self._found

    async def reach(self, name: str, lost: Lost) -> OpenChannels:
        """Over a WebSocket, which ends with the server, the kernel, or the way there."""
        from tornado.websocket import websocket_connect

        from sandbox_tui.backends.kernels.foreign.websocket import WebSocketChannels, session_name

        session = session_name()
        path = f"api/kernels/{_quoted_id(name)}/channels?session_id={session}"
        request = await self._request(path)
        request.url = request.url.replace("http", "ws", 1)
        connecting = websocket_connect(
            request, ping_interval=PING, max_message_size=LONGEST_MESSAGE
        )
        socket = await self._translated(connecting)

        def channels(deliver: Deliver) -> Channels:
            interrupt = partial(self._interrupt, name)
            return WebSocketChannels(socket, session, deliver, lost, interrupt)

        return channels

    async def aclose(self) -> None:
        """Nothing is held open between two questions."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
        self._pool.close()

    async def _interrupt(self, name: str) -> None:
        await self._fetch(f"api/kernels/{_quoted_id(name)}/interrupt", method="POST")

    async def _kernels(self) -> list[_Kernel]:
        response = await self._fetch("api/kernels?no_track_activity=1")
        try:
            return msgspec.json.decode(response.body, type=list[_Kernel])
        except msgspec.MsgspecError:
            raise self._unavailable(_NO_SERVER) from None

    async def _sessions(self) -> list[_Session]:
        """Which notebooks it has open; a kernel gateway need not say."""
        try:
            response = await self._fetch("api/sessions?no_track_activity=1")
            return msgspec.json.decode(response.body, type=list[_Session])
        except (BackendUnavailableError, msgspec.MsgspecError):
            return []

    async def _fetch(self, path: str, method: str = "GET") -> HTTPResponse:
        request = await self._request(path, method)
        assert self._client is not None
        return await self._translated(self._client.fetch(request))

    async def _request(self, path: str, method: str = "GET") -> HTTPRequest:
        """Redirections are not followed: the token is for this server only."""
        if self._client is None:
            await self._pool.run(_LOADING, self._load)
        from tornado.httpclient import HTTPRequest
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        if self._client is None:
            self._client = SimpleAsyncHTTPClient(force_instance=True)
        token = self._address.token
        return HTTPRequest(
            self._address.url + path,
            method=method,
            headers={"Authorization": f"token {token}"} if token else {},
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            ssl_options=self._tls,
        )

    def _load(self) -> None:
        """What reads files: the library, and the certificates that are trusted."""
        importlib.import_module("tornado.simple_httpclient")
        importlib.import_module("tornado.websocket")
        if self._address.url.startswith("https:"):
            self._tls = ssl.create_default_context()

    async def _translated(self, answer: Awaitable[T]) -> T:
        """The one door: whatever the library or the server says becomes an error of ours."""
        from tornado.httpclient import HTTPClientError
        from tornado.simple_httpclient import HTTPTimeoutError
        from tornado.websocket import WebSocketError

        try:
            async with asyncio.timeout(2 * PATIENCE):
                return await answer
        except (HTTPTimeoutError, TimeoutError):
            raise self._unavailable(f"no answer within {PATIENCE:g} s") from None
        except HTTPClientError as error:
            raise self._refused(error) from None
        except (OSError, WebSocketError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise self._unavailable(reason) from None

    def _refused(self, error: HTTPClientError) -> BackendUnavailableError:
        if error.code in _CLOSED:
            return self._unavailable("it wants another token", _TOKEN)
        return self._unavailable(_NO_SERVER if error.code == 404 else str(error))

    def _unavailable(self, reason: str, hint: str = _HINT) -> BackendUnavailableError:
        return BackendUnavailableError(str(Place(Kind.ROOM, self.where)), reason, hint=hint)

    async def _known_here(self) -> set[str]:
        """The kernels whose connection files are here."""

        def names() -> set[str]:
            return {path.stem for path in (self._folder or runtime_folder()).glob("kernel-*.json")}

        return await self._pool.run(_LOADING, names)

    def _kernel(self, kernel: _Kernel, notebook: str) -> FoundKernel:
        facts = RoomFacts(
            kernel=kernel.name,
            foreign=True,
            server=self._address.url,
            notebook=notebook,
            peers=kernel.connections,
        )
        return FoundKernel(_name(kernel), _STATES.get(kernel.execution_state, State.RUNNING), facts)


def _name(kernel: _Kernel) -> str:
    return f"kernel-{kernel.id}"


def _quoted_id(name: str) -> str:
    return quote(name.removeprefix("kernel-"), safe="")
