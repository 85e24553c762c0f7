"""Making a session out of a spec.

tmux expands names and folders as formats, so that `#(…)` in them would run; it renames quietly
what it cannot address; and a command may end before an option can be set on its pane. So
everything is escaped, what would be renamed is refused, and the pane first holds a placeholder
that the command then takes the place of.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sandbox_tui.backends.tmux.deeds import Deeds, Done
from sandbox_tui.backends.tmux.formats import MARKER, Marker
from sandbox_tui.backends.tmux.keeper import kept
from sandbox_tui.backends.tmux.wire import Words
from sandbox_tui.model.errors import AlreadyExistsError, InvalidSpecError, StartFailedError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command, TmuxSpec, fingerprint

DEADLINE = 2.0
"""How long looking at a spec and its folder may take, in seconds."""

_TRIES = 5
_PAUSE = 0.1
"""How often, and after how many seconds again, a server that is just ending is asked."""

_ENDING = ("server exited", "lost server", "no server running")

_PLACEHOLDER = ("sleep", "2147483647")

_ENV_KEY = re.compile(r"[^=\0]+")


def check(spec: TmuxSpec) -> None:
    """Raise `InvalidSpecError` for what could not be started as it is written. Blocks."""
    _check_name(spec.name)
    _check_text("command", *_words(spec.command))
    if spec.command is not None and not "".join(_words(spec.command)[:1]).strip():
        raise InvalidSpecError("command", "it is empty; leave it out for a shell")
    for key, value in spec.env.items():
        _check_text("env", key, value)
        if not _ENV_KEY.fullmatch(key):
            raise InvalidSpecError("env", f"{key!r} cannot name a variable")
    if spec.working_dir is not None:
        _check_text("working_dir", spec.working_dir)
        if not _folder(spec.working_dir).is_dir():
            raise InvalidSpecError("working_dir", f"there is no folder {spec.working_dir}")


async def start(deeds: Deeds, spec: TmuxSpec, ref: Ref) -> None:
    """Make the session. Raises `AlreadyExistsError`, `InvalidSpecError`, `StartFailedError`."""
    done = await _done(deeds, spec)
    session, _, name = (done.lines[0] if done.lines else "").partition(" ")
    if done.ok and name == spec.name:
        return
    if session:
        await deeds.do(("kill-session", "-t", session))
        if name != spec.name:
            raise InvalidSpecError("name", f"tmux would call it {name!r}")
    raise _refusal(done, ref)


async def _done(deeds: Deeds, spec: TmuxSpec) -> Done:
    """Try again while the answer comes from a server that is just ending."""
    done = await deeds.do(*_commands(spec))
    for _ in range(_TRIES):
        if done.lines or not done.complaint.startswith(_ENDING):
            break
        await asyncio.sleep(_PAUSE)
        done = await deeds.do(*_commands(spec))
    return done


def _commands(spec: TmuxSpec) -> Iterator[Words]:
    target = f"={spec.name}:"
    marker = msgspec.json.encode(Marker(spec.command, spec.labels, fingerprint(spec))).decode()
    yield (*_new_session(spec), *(_PLACEHOLDER if spec.command is not None else ()))
    yield ("set-option", "-t", target, MARKER, marker)
    yield ("set-option", "-p", "-t", target, "remain-on-exit", "on")
    # tmux's own notice would push the last output off the screen.
    yield ("set-option", "-p", "-q", "-t", target, "remain-on-exit-format", "")
    if spec.command is not None:
        yield ("respawn-pane", "-k", "-t", target, "--", *kept(spec.command))


def _new_session(spec: TmuxSpec) -> Words:
    folder = ("-c", _literal(str(_folder(spec.working_dir)))) if spec.working_dir else ()
    env = [word for key, value in spec.env.items() for word in ("-e", f"{key}={value}")]
    shape = "#{session_id} #{session_name}"
    return ("new-session", "-d", "-P", "-F", shape, "-s", _literal(spec.name), *folder, *env)


def _words(command: Command | None) -> Words:
    if command is None:
        return ()
    return (command,) if isinstance(command, str) else command


def _literal(text: str) -> str:
    """Text that expands to itself where tmux expects a format."""
    return text.replace("#", "##")


def _folder(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _check_name(name: str) -> None:
    if not name:
        raise InvalidSpecError("name", "it is empty")
    _check_text("name", name)
    if bad := sorted({*name} & {":", "."}):
        raise InvalidSpecError("name", f"tmux would write _ for {' and '.join(bad)}")
    if name.startswith("$"):
        raise InvalidSpecError("name", "tmux takes a leading $ for the number of a session")


def _check_text(field: str, *texts: str) -> None:
    for text in texts:
        if "\0" in text:
            raise InvalidSpecError(field, "there is a NUL character in it")
        if not text.isascii():
            _check_unicode(field, text)


def _check_unicode(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidSpecError(field, f"{text!r} is no valid text") from None


def _refusal(done: Done, ref: Ref) -> AlreadyExistsError | StartFailedError:
    if done.complaint.startswith("duplicate session"):
        return AlreadyExistsError(ref)
    return StartFailedError(ref, done.complaint or "tmux does not say why")
