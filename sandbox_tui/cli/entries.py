"""A world and a sandbox as the command line's JSON has them."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.world import ContainerFacts, Health, Sandbox, World


def world_entry(
    world: World, boxes: Sequence[Sandbox], health: Sequence[Health]
) -> dict[str, object]:
    """These sandboxes of a world, and how the backends are that were asked."""
    return {
        "revision": world.revision,
        "sandboxes": [sandbox_entry(box) for box in boxes],
        "health": {each.place: {"ok": each.ok, "detail": each.detail} for each in health},
    }


def sandbox_entry(box: Sandbox) -> dict[str, object]:
    """One sandbox."""
    facts = box.facts
    return {
        "ref": box.ref,
        "kind": box.ref.kind.value,
        "name": box.ref.name,
        "state": box.state.value,
        "pid": box.pid,
        "created_at": box.created_at,
        "image": facts.image if isinstance(facts, ContainerFacts) else None,
        "exit_code": box.exit_code,
        "managed": box.managed,
        "facts": to_builtins(facts),
    }
