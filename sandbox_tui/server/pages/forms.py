"""Outputs in the form that the page draws: text, a picture, or a frame of its own for HTML."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from sandbox_tui.model.outputs import Display, Failure, Output, Text
from sandbox_tui.server.pages.board import Block

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


class Form(msgspec.Struct, frozen=True):
    """One output as it is drawn."""

    kind: Literal["text", "error", "picture", "frame"]
    value: str
    """Text, a `data:` address, or the path of a frame, seen from its page."""


class Drawing(msgspec.Struct, frozen=True):
    """One block as it is drawn."""

    id: str
    title: str
    forms: tuple[Form, ...]


def drawing(block: Block) -> Drawing:
    """A block for the page."""
    forms = tuple(_form(block, at, output) for at, output in enumerate(block.outputs))
    return Drawing(block.id, block.title, forms)


def html_of(output: Output) -> str | None:
    """The HTML of an output that has some."""
    return _text(output.data, "text/html") if isinstance(output, Display) else None


def _form(block: Block, at: int, output: Output) -> Form:
    match output:
        case Text():
            kind = "error" if output.stream == "stderr" else "text"
            return Form(kind, _plain(output.text))
        case Failure():
            lines = output.traceback or (f"{output.name}: {output.message}",)
            return Form("error", _plain("\n".join(lines)))
        case Display():
            return _value(block, at, output.data)


def _value(block: Block, at: int, data: Mapping[str, object]) -> Form:
    """The richest form that the page can show."""
    if _text(data, "text/html") is not None:
        return Form("frame", f"frame/{block.id}/{at}?{block.revision}")
    if (svg := _text(data, "image/svg+xml")) is not None:
        letters = base64.b64encode(svg.encode("utf-8", "replace")).decode()
        return Form("picture", f"data:image/svg+xml;base64,{letters}")
    for mime in _PICTURES:
        letters = _text(data, mime)
        if letters is not None and _BASE64.fullmatch(letters):
            return Form("picture", f"data:{mime};base64,{''.join(letters.split())}")
    for mime in ("text/markdown", "text/latex", "text/plain"):
        if (text := _text(data, mime)) is not None:
            return Form("text", _plain(text))
    return Form("text", f"<{', '.join(data)}>")


def _text(data: Mapping[str, object], mime: str) -> str | None:
    value = data.get(mime)
    if isinstance(value, list):
        return "".join(map(str, cast("list[object]", value)))
    return value if isinstance(value, str) else None


def _plain(text: str) -> str:
    return _ESCAPES.sub("", text).encode("utf-8", "replace").decode()
