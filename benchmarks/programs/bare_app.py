"""The least a Textual program can be: one word on the screen."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """Nothing else."""

    def compose(self) -> ComposeResult:
        yield Static("painted")


if __name__ == "__main__":
    Bare().run()
