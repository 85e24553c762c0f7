"""`sandbox-tui web`: the dashboard in a browser, each page with a dashboard process of its own.

textual-serve draws it; who may see it is decided by the rules of the API. What a page may *do* is
not decided here at all: a dashboard to be looked at only has an `Api` that refuses the rest.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable, Collection

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from sandbox_tui.model.codec import to_json
from sandbox_tui.model.refs import Kind
from sandbox_tui.server.http.auth import Gate, Visit, token_cookie, without_token
from sandbox_tui.server.http.listening import Listening, Wish, listen, names_of
from sandbox_tui.server.http.signals import on_signal
from sandbox_tui.settings.load import load

GRACE = 3.0
"""Seconds that dashboards have to end when the server stops."""

HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""Nothing comes from elsewhere, and nobody frames the page to have keys pressed in it."""


async def serve(
    wish: Wish,
    *,
    kinds: Collection[Kind] | None = None,
    demo: bool = False,
    read_only: bool = False,
    ready: Callable[[Listening], None],
) -> int:
    """Serve until SIGINT or SIGTERM; `ready` is called when it listens. Gives the exit code."""
    settings = (await asyncio.to_thread(load)).config.server
    listening = await asyncio.to_thread(lambda: listen(settings, wish, always=True))
    gate = Gate(listening.token, names_of(wish.over(settings)))
    site = Site(_command(kinds, demo=demo, read_only=read_only), gate)
    runner = web.AppRunner(await site.app(), access_log=None, shutdown_timeout=GRACE)
    stop = asyncio.Event()
    try:
        await runner.setup()
        await web.SockSite(runner, listening.socket).start()
        with on_signal(stop.set):
            ready(listening)
            await stop.wait()
    finally:
        await runner.cleanup()
        listening.socket.close()
    return 0


class Site(Server):
    """textual-serve behind a gate. `command` is what a page shows."""

    def __init__(self, command: str, gate: Gate) -> None:
        super().__init__(command, title="sandbox-tui")  # pyright: ignore[reportUnknownMemberType]
        self._gate = gate

    async def app(self) -> web.Application:
        """Its routes, guarded."""
        app = await self._make_app()
        app.on_startup.clear()  # a banner
        app.middlewares.append(self._guard)
        return app

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page. Its addresses are those of the request: the browser knows the way here."""
        secure = request.secure or request.headers.get("x-forwarded-proto") == "https"
        here = f"{'https' if secure else 'http'}://{request.host}"
        context = {
            "font_size": _whole(request.query.get("fontsize", ""), 16),
            "app_websocket_url": f"ws{here.removeprefix('http')}/ws",
            "config": {"static": {"url": f"{here}/static/"}},
            "application": {"name": self.title},
        }
        page = aiohttp_jinja2.render_template("app_index.html", request, context)
        page.headers.update(HEADERS)
        return page

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = _visit(request)
        refusal = self._gate.refusal(visit)
        if self._gate.is_welcome(visit, refusal):
            cookie = {"set-cookie": token_cookie(self._gate), "referrer-policy": "no-referrer"}
            return web.Response(status=303, headers={"location": without_token(visit), **cookie})
        if refusal is None:
            return await handler(request)
        error = {"type": refusal.type, "message": refusal.message, "hint": refusal.hint}
        body = to_json({"error": error})
        return web.Response(status=refusal.status, body=body, content_type="application/json")


def _visit(request: web.Request) -> Visit:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Visit(request.method, request.path, request.query_string, headers)


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else default


def _command(kinds: Collection[Kind] | None, *, demo: bool, read_only: bool) -> str:
    """The dashboard, for a shell: textual-serve knows no other way."""
    words = [sys.executable, "-m", "sandbox_tui.tui"]
    words += ["--demo"] if demo else []
    words += ["--read-only"] if read_only else []
    words += [f"--backend={kind}" for kind in kinds or ()]
    return shlex.join(words)
