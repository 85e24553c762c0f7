"""Which engine shuts kernels in, and what they run in: chosen by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox_tui.backends.cages import Cages
from sandbox_tui.settings import paths

if TYPE_CHECKING:
    from sandbox_tui.settings.schema import Config


def cages_of(config: Config, *, image: str = "") -> Cages:
    """Cages of `image`, or of the configured one; the engine is looked for when it is needed."""
    from sandbox_tui.backends.containers.cages import EngineCages

    room = config.backends.room
    image = image or room.image
    folder = paths.bundled("config") / "kernel"
    return EngineCages(
        config.backends.container.runtime or "",
        image=image,
        memory=room.memory,
        hint=f"Run: sandbox-tui image build {image} {folder}",
    )
