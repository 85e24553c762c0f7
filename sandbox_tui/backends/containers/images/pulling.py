"""An image fetched from its registry, by the engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.files.hauling import Haul
from sandbox_tui.backends.containers.images.image_names import registry_of, split
from sandbox_tui.backends.containers.images.images import id_of
from sandbox_tui.backends.containers.images.progress_lines import Detail, Said, words
from sandbox_tui.backends.containers.images.registry_login import authentication
from sandbox_tui.model.errors import (
    ImageNotFoundError,
    NotFoundError,
    OperationFailedError,
    RegistryError,
    SandboxError,
)

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_LACKING = ("manifest unknown", "not found", "does not exist", "name unknown", "no such image")
_REFUSING = ("unauthorized", "authentication", "access denied", "denied", "basic auth", "login")
_COUNTED = ("Downloading", "Pulling fs layer", "Waiting")
_ARRIVED = ("Download complete", "Pull complete", "Extracting", "Verifying Checksum")


class Layers:
    """How far all layers of one image are together."""

    def __init__(self) -> None:
        self._layers: dict[str, Detail] = {}

    def take(self, said: Said) -> None:
        """Count what is said of one layer; unpacking it is no more bytes."""
        detail = said.progress_detail
        known = self._layers.get(said.id)
        if said.status in _COUNTED and detail is not None and said.id:
            self._layers[said.id] = detail
        elif known is not None and said.status in _ARRIVED:
            self._layers[said.id] = Detail(current=known.total, total=known.total)

    @property
    def done(self) -> int:
        """Bytes so far."""
        return sum(layer.current for layer in self._layers.values())

    @property
    def total(self) -> int | None:
        """Bytes in all, as far as anything is known of them."""
        return sum(max(layer.total, layer.current) for layer in self._layers.values()) or None


def pull(engine: Engine, image: str, haul: Haul) -> str:
    """Fetch it; its id. Raises `ImageNotFoundError`, `RegistryError`."""
    repository, tag = split(image)
    haul.say(step=f"asking {registry_of(image)}")
    try:
        stream = engine.haul(
            haul.held,
            "POST",
            "/images/create",
            {"fromImage": repository, "tag": tag},
            headers=authentication(registry_of(image)),
            ref=image,
            verb="pull",
        )
        with contextlib.closing(stream):
            _listen(words(stream), image, haul)
    except OperationFailedError as error:
        raise _fault(image, error.reason) from error
    except ImageNotFoundError:
        raise
    except NotFoundError as error:
        raise _lacking(image) from error
    found = id_of(engine, image)
    if found is None:
        raise _lacking(image)
    return found


def _listen(told: Iterable[Said], image: str, haul: Haul) -> None:
    layers = Layers()
    for said in told:
        if said.error:
            raise _fault(image, said.error)
        layers.take(said)
        haul.say(done=layers.done, total=layers.total, step=f"{said.status} {said.id}".strip())


def _fault(image: str, reason: str) -> SandboxError:
    words_of_it = " ".join(reason.split())
    told = words_of_it.lower()
    if any(sign in told for sign in _REFUSING):
        hint = f"Correct the name, or log in: docker login {registry_of(image)}"
        return RegistryError(image, words_of_it, hint=hint)
    if any(sign in told for sign in _LACKING):
        return _lacking(image)
    return RegistryError(
        image, words_of_it, hint=f"Check that {registry_of(image)} can be reached."
    )


def _lacking(image: str) -> ImageNotFoundError:
    host = registry_of(image)
    return ImageNotFoundError(image, hint=f"Correct the name: {host} has none that is called so.")
