"""What is typed for a copy, as the action that it means."""

from __future__ import annotations

import shlex

from sandbox_tui.model.actions import Action, Pull, Push, Snapshot
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.chrome.input_purposes import Purpose

PURPOSES: dict[type[Action], Purpose] = {
    Push: Purpose.PUSH,
    Pull: Purpose.PULL,
    Snapshot: Purpose.SNAPSHOT,
}
"""What a line is for that is typed before one of these."""


def copy_of(ref: Ref, purpose: Purpose, words: str) -> Push | Pull | Snapshot:
    """The copy that the words mean. Raises `UsageError` for too few or too many of them."""
    try:
        first, *rest = shlex.split(words)
    except ValueError as error:
        raise UsageError(str(error).lower(), hint=f"Type: {purpose.form}") from None
    if purpose is Purpose.SNAPSHOT and not rest:
        return Snapshot(ref=ref, image=first)
    if purpose is Purpose.SNAPSHOT or len(rest) != 1:
        raise UsageError(f"what is {words!r} to mean?", hint=f"Type: {purpose.form}")
    copy = Push if purpose is Purpose.PUSH else Pull
    return copy(ref=ref, source=first, target=rest[0])
