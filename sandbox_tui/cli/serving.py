"""`serve` and `web`: everything here over HTTP, for programs and for a browser."""

from __future__ import annotations

import importlib
from collections.abc import Coroutine
from types import ModuleType
from typing import Any

import click

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.model.errors import UsageError

_OPTIONS = (
    click.Option(["--host"], metavar="ADDRESS", help="Where to listen; by default here only."),
    click.Option(["--port"], type=click.IntRange(0, 65535), help="The port; 0 is any free one."),
    click.Option(["--token"], envvar="SANDBOX_TUI_TOKEN", help="What whoever asks has to know."),
    click.Option(["--read-only"], is_flag=True, help="Refuse whatever could change something."),
)

Said = Any


@command("serve", *_OPTIONS)
def serve(frame: Frame, **said: Said) -> Coroutine[Any, Any, int]:
    """Answer over HTTP until Ctrl-C: the whole API, and Swagger at /docs."""
    return _serving("serving", frame, **said)


@command("web", *_OPTIONS)
def web(frame: Frame, **said: Said) -> Coroutine[Any, Any, int]:
    """Show the dashboard in browsers until Ctrl-C."""
    return _serving("web", frame, **said)


def _serving(
    module: str,
    frame: Frame,
    *,
    host: str | None,
    port: int | None,
    token: str | None,
    read_only: bool,
) -> Coroutine[Any, Any, int]:
    """The bridge to another surface, which this one does not know."""
    server = _server(module)
    wish = importlib.import_module("sandbox_tui.server.http.listening").Wish(host, port, token)
    kinds = [frame.kind] if frame.kind is not None else None

    def ready(listening: Any) -> None:
        """Say where; the address is data, so that a script can read it."""
        if frame.json:
            made = listening.token if listening.generated else ""
            return frame.show_json({"url": listening.url, "token": made})
        query = f"/?token={listening.token}" if module == "web" and listening.token else ""
        frame.show(f"{listening.url}{query}")
        if listening.generated:
            warn(f"token: {listening.token}")  # also when it is to be quiet: nobody else knows it
        return frame.tell("Ctrl-C stops it")

    served: Coroutine[Any, Any, int] = server.serve(
        wish, kinds=kinds, demo=frame.demo, read_only=read_only, ready=ready
    )
    return served


def _server(module: str) -> ModuleType:
    """The server of that name, which comes with an extra."""
    try:
        return importlib.import_module(f"sandbox_tui.server.http.{module}")
    except ModuleNotFoundError as error:
        extra = "web" if module == "web" else "server"
        hint = f"Run: pip install 'sandbox-tui[{extra}]'"
        raise UsageError(f"{error.name} is not installed", hint=hint) from error
