"""What stands in a terminal for a value that only a browser could show: its kind and its size."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple, cast

from sandbox_tui.tui.widgets import units
from sandbox_tui.tui.widgets.fit import harmless

_HEAD = 64 * 1024
"""Characters of an image that are looked at for its size in pixels."""

_SVG_SIZE = re.compile(r"<svg\b[^>]*?\bwidth=[\"']([\d.]+)[^>]*?\bheight=[\"']([\d.]+)", re.DOTALL)


class Pixels(NamedTuple):
    """Columns and rows of a picture."""

    width: int
    height: int


def text_of(value: object) -> str | None:
    """A text of a rich value; notebook files keep it as a list of lines."""
    if isinstance(value, list):
        return "".join(map(str, cast("list[object]", value)))
    return value if isinstance(value, str) else None


def note(data: Mapping[str, object]) -> str:
    """Every form but plain text, in words: `image/png 640×480 12K, text/html 3K`."""
    return ", ".join(_form(mime, value) for mime, value in data.items() if mime != "text/plain")


def has_picture(data: Mapping[str, object]) -> bool:
    """Whether it is something to look at, for which the plain text only stands in."""
    return any(mime.startswith("image/") for mime in data)


def pixels(mime: str, text: str) -> Pixels | None:
    """The size of an image as notebooks keep it: base64, or the text of an SVG."""
    if mime == "image/svg+xml":
        found = _SVG_SIZE.search(text[:_HEAD])
        return Pixels(*(round(float(side)) for side in found.groups())) if found else None
    letters = "".join(text[:_HEAD].split())
    try:
        return _raster(base64.b64decode(letters[: len(letters) // 4 * 4]))
    except (binascii.Error, ValueError):
        return None


def _form(mime: str, value: object) -> str:
    text = text_of(value)
    if text is None:
        return harmless(mime)
    side = pixels(mime, text) if mime.startswith("image/") else None
    is_base64 = mime.startswith("image/") and not mime.endswith("+xml")
    size = units.size(len(text) * 3 // 4 if is_base64 else len(text.encode("utf-8", "replace")))
    return " ".join(filter(None, (harmless(mime), side and f"{side[0]}×{side[1]}", size)))


def _raster(head: bytes) -> Pixels | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        return Pixels(_big(head[16:20]), _big(head[20:24]))
    if head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
        return Pixels(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))
    return _jpeg(head) if head.startswith(b"\xff\xd8") else None


def _jpeg(head: bytes) -> Pixels | None:
    """From the first frame header, over the segments before it."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        if 0xC0 <= head[at + 1] <= 0xCF and head[at + 1] not in (0xC4, 0xC8, 0xCC):
            return Pixels(_big(head[at + 7 : at + 9]), _big(head[at + 5 : at + 7]))
        at += 2 + _big(head[at + 2 : at + 4])
    return None


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")
