"""The files of a container, kept as an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.containers.engine.replies import Box, Made
from sandbox_tui.backends.containers.files.insides import look_inside
from sandbox_tui.backends.containers.images.image_names import split_own
from sandbox_tui.backends.containers.labels import FAMILY

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine


def snapshot(engine: Engine, box: Box, image: str, seconds: float) -> str:
    """The id of the new image, whose name must be one. Raises `InvalidSpecError`.

    The labels that say whose a container is are emptied in the image: what others make of it is
    theirs.
    """
    repository, tag = split_own(image)
    labels = look_inside(engine, box).labels
    params = {"container": box.id, "repo": repository, "tag": tag, "pause": "1"}
    emptied = "\n".join(f'LABEL {name}=""' for name in sorted(labels) if _is_own(name))
    if emptied:
        params["changes"] = emptied
    raw = engine.order(
        "POST", "/commit", params, body={}, seconds=seconds, ref=box.ref, verb="snapshot"
    )
    with engine.talking():
        return msgspec.json.decode(raw, type=Made).id


def _is_own(name: str) -> bool:
    return name.startswith(FAMILY) and name.replace("-", "").replace(".", "").isalnum()
