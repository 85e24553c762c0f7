"""The shape of a state in its colour, for the frames of the chrome."""

from __future__ import annotations

from sandbox_tui.tui.widgets.rows import Look

MUTED = "$foreground 60%"
"""What is there to be read when it is looked for. (`$text-muted` is no colour in a `Content`.)"""

_STYLES = {
    Look.RUNNING: "$text-success",
    Look.STARTING: "$text-accent",
    Look.WAITS: "bold $text-warning",
    Look.IDLE: "$text-primary",
    Look.FAILED: "bold $text-error",
    Look.PAUSED: "$text-secondary",
}


def glyph(look: Look) -> tuple[str, str]:
    """The shape and its style."""
    return look.glyph, _STYLES.get(look, MUTED)
