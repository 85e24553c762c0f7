"""Names of images, as registries and engines write them."""

from __future__ import annotations

import re

from sandbox_tui.model.errors import InvalidSpecError

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?/"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?P<repository>(?:{_HOST})?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?",
    re.ASCII,
)
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
_LONGEST = 255


def split(image: str) -> tuple[str, str]:
    """Repository, and the tag or digest, `latest` without one. Raises `InvalidSpecError`."""
    found = _NAME.fullmatch(image)
    if found is None or len(found["repository"]) > _LONGEST:
        raise InvalidSpecError("image", f"{image!r} is no name of an image")
    return found["repository"], found["digest"] or found["tag"] or "latest"


def split_own(image: str) -> tuple[str, str]:
    """Repository and tag of an image that is to be made: a digest cannot be chosen."""
    if "@" in image:
        raise InvalidSpecError("image", f"{image!r}: a new image has no digest yet")
    return split(image)


def checked(image: str) -> str:
    """The name, or the id, of an image. Raises `InvalidSpecError` for anything else."""
    if not _ID.fullmatch(image):
        split(image)
    return image


def registry_of(image: str) -> str:
    """The host that an image is fetched from."""
    host, slash, _ = image.partition("/")
    named = slash and ("." in host or ":" in host or host == "localhost")
    return host if named else "docker.io"
