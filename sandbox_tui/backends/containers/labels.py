"""What is written on a container that is made here, so that every program can read it back.

An image's labels are its containers' too, and a snapshot has those of what it was made from. So
labels of ours count only on a container that has the name they were written for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox_tui.model.specs import ContainerSpec, fingerprint

FAMILY = "sandbox-tui."
MANAGED_LABEL = "sandbox-tui.managed"
NAME_LABEL = "sandbox-tui.name"
SPEC_LABEL = "sandbox-tui.spec"
"""Fingerprint of the spec, to see whether the configuration has changed since."""

SPEC_JSON_LABEL = "sandbox-tui.spec-json"
"""The fields of the spec that were said, to make such a container again.

Of variables and labels only the names: values may be secrets, and labels are shown everywhere.
"""

TTL_LABEL = "sandbox-tui.ttl"
IDLE_TIMEOUT_LABEL = "sandbox-tui.idle-timeout"
"""Seconds, as a decimal number."""

PERSIST_LABEL = "sandbox-tui.persist"
PROJECT_LABEL = "sandbox-tui.project"
PROFILE_LABEL = "sandbox-tui.profile"

_VALUES_ELSEWHERE = ("env", "labels")


def labels_of(spec: ContainerSpec, full: ContainerSpec) -> dict[str, str]:
    """All labels of a container; `full` is `spec` with absolute paths.

    The empty ones are there because an image may have its own.
    """
    ours = {
        MANAGED_LABEL: "1",
        NAME_LABEL: spec.name,
        SPEC_LABEL: fingerprint(spec),
        SPEC_JSON_LABEL: _written(full),
        TTL_LABEL: _number(spec.ttl),
        IDLE_TIMEOUT_LABEL: _number(spec.idle_timeout),
        PERSIST_LABEL: "1" if spec.persist else "",
        PROJECT_LABEL: spec.project,
        PROFILE_LABEL: spec.profile,
    }
    return {**spec.labels, **ours}


def trusted(labels: Mapping[str, str], name: str) -> dict[str, str]:
    """The labels of the container `name`; ours only where they are its own and say something."""
    own = labels.get(NAME_LABEL) == name
    return {
        key: text for key, text in labels.items() if not key.startswith(FAMILY) or (own and text)
    }


def spec_from(labels: Mapping[str, str], env: Mapping[str, str], name: str) -> ContainerSpec | None:
    """The spec that the container `name` was made from; `None` when it was not made here.

    `env` are its variables. Nothing is ever deleted because of a path in it.
    """
    written = trusted(labels, name).get(SPEC_JSON_LABEL, "")
    try:
        said = msgspec.json.decode(written, type=dict[str, Any])
        for field, values in zip(_VALUES_ELSEWHERE, (env, labels), strict=True):
            said[field] = {key: values.get(key, "") for key in said.get(field, ())}
        return msgspec.convert({**said, "name": name, "type": "container"}, ContainerSpec)
    except (msgspec.MsgspecError, TypeError):
        return None


def _written(spec: ContainerSpec) -> str:
    plain = ContainerSpec(name=spec.name)
    fields = msgspec.structs.asdict(spec).items()
    said: dict[str, Any] = {key: value for key, value in fields if value != getattr(plain, key)}
    said |= {key: sorted(said[key]) for key in _VALUES_ELSEWHERE if key in said}
    return msgspec.json.encode(said, order="deterministic").decode()


def _number(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g}"
