"""How long a container is to live, as it is written on it."""

from __future__ import annotations

from typing import NamedTuple

from sandbox_tui.backends.containers.labels import (
    FAMILY,
    IDLE_TIMEOUT_LABEL,
    PERSIST_LABEL,
    PROJECT_LABEL,
    TTL_LABEL,
)
from sandbox_tui.model.world import ContainerFacts, Sandbox

OWNER = f"{FAMILY}owner"
"""Which process made it and means to end it; see `runtime.identity`."""

STARTER = f"{FAMILY}starter"
"""Which process made it to start it at once, and nobody else would; it means nothing afterwards."""

KNOWN_BY = f"{FAMILY}known-by"
"""Where its uses are written down; who writes elsewhere cannot tell whether it is idle."""


class Terms(NamedTuple):
    """What was agreed when it was made."""

    ttl: float | None = None
    """Seconds from its making to its end."""
    idle_timeout: float | None = None
    """Seconds without use to its end."""
    persist: bool = False
    project: str = ""
    owner: str = ""
    starter: str = ""
    known_by: str = ""


def terms_of(box: Sandbox) -> Terms:
    """The terms of a container that this program made; of any other there are none."""
    labels = box.labels
    if not box.managed:
        return Terms()
    return Terms(
        ttl=_seconds(labels.get(TTL_LABEL, "")),
        idle_timeout=_seconds(labels.get(IDLE_TIMEOUT_LABEL, "")),
        persist=labels.get(PERSIST_LABEL) == "1",
        project=labels.get(PROJECT_LABEL, ""),
        owner=labels.get(OWNER, ""),
        starter=labels.get(STARTER, ""),
        known_by=labels.get(KNOWN_BY, ""),
    )


def ends_when_idle(box: Sandbox) -> bool:
    """Whether it is ended when nobody has used it for some time; asked at every command."""
    return IDLE_TIMEOUT_LABEL in box.labels and terms_of(box).idle_timeout is not None


def container_id(box: Sandbox) -> str:
    """The engine's full id of it; empty when it is only defined."""
    return box.facts.container_id if isinstance(box.facts, ContainerFacts) else ""


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
