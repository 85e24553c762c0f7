"""Which containers may be swept away: those of this program that nobody could miss."""

from __future__ import annotations

from sandbox_tui.hub.terms import terms_of
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import Sandbox, State

ENDED = frozenset({State.STOPPED, State.EXITED, State.FAILED})
"""Created and never started, ended, dead. What runs or is paused is none of these."""


def prunable(box: Sandbox, project: str | None = None) -> bool:
    """Whether it was made by this program (for that project, if one is named) and has ended."""
    ours = box.ref.kind is Kind.CONTAINER and box.managed and box.stale_since is None
    return ours and box.state in ENDED and project in (None, terms_of(box).project)
