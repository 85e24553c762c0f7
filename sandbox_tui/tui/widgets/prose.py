"""Sentences for people, broken between words."""

from __future__ import annotations

import textwrap

from sandbox_tui.tui.widgets.fit import harmless


def wrap_words(text: str, width: int) -> list[str]:
    """The lines of a text, none longer than `width`; none at all of an empty text."""
    wrapper = textwrap.TextWrapper(width=max(8, width), break_on_hyphens=False)
    lines = text.split("\n") if text else []
    return [part for line in lines for part in wrapper.wrap(harmless(line)) or [""]]
