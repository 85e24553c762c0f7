"""How a person gets into a session, and out again."""

from __future__ import annotations

import asyncio
import os
import re

from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.refs import Ref

_DETACH = re.compile(r"^bind-key +(?:-r +)?-T prefix +(\S+) +detach-client$", re.MULTILINE)
_MODIFIERS = {"C-": "ctrl+", "M-": "alt+", "S-": "shift+"}


async def attachment(server: Server, ref: Ref, session: str) -> Attachment:
    """What to run for the session with that id; the caller knows that it is there."""
    target = session if ref.name.startswith("$") else f"={ref.name}"
    return Attachment(
        ref=ref,
        argv=(*server.program, "attach-session", "-t", target),
        env={"TMUX": ""},  # else tmux would refuse to run inside itself
        leave=await _leave(server, session),
        inside_tmux=await _switch(server, target),
    )


async def _leave(server: Server, session: str) -> str:
    """The keys that detach there, as the user has bound them."""
    replies = await server.ask(
        ("display-message", "-p", "-t", f"{session}:", "#{prefix}"),
        ("list-keys", "-T", "prefix"),
    )
    prefix, keys = (reply.text for reply in replies) if replies else ("C-b", "")
    bound = _DETACH.findall(keys)
    key = "d" if "d" in bound or not bound else bound[0]
    return f"{_spelled(prefix)} {_spelled(key)}"


def _spelled(key: str) -> str:
    """`C-b` as people write it: `ctrl+b`."""
    spelled = ""
    while len(key) > 2 and key[:2] in _MODIFIERS:
        spelled, key = spelled + _MODIFIERS[key[:2]], key[2:]
    return spelled + key.removeprefix("\\")


async def _switch(server: Server, target: str) -> tuple[str, ...]:
    """How to switch the terminal that this program runs in, when that is in this very server.

    The terminal is named, because tmux's own guess could be any client of the session.
    """
    path, pane = os.environ.get("TMUX", "").partition(",")[0], os.environ.get("TMUX_PANE", "")
    if not pane or not await asyncio.to_thread(_is_same, path, server.path):
        return ()
    client = await _client_at(server, pane)
    return (*server.program, "switch-client", "-c", client, "-t", target) if client else ()


def _is_same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


async def _client_at(server: Server, pane: str) -> str:
    """The terminal that looked last at the session of that pane."""
    shape = "#{client_activity}\t#{client_control_mode}\t#{session_id}\t#{client_name}"
    replies = await server.ask(
        ("display-message", "-p", "-t", pane, "#{session_id}"), ("list-clients", "-F", shape)
    )
    if not replies or not all(reply.ok for reply in replies):
        return ""
    here, clients = replies[0].text, [line.split("\t", 3) for line in replies[1].text.split("\n")]
    terminals = [(int(c[0]), c[3]) for c in clients if c[1:3] == ["0", here]]
    return max(terminals, default=(0, ""))[1]
