"""A bare app around one widget, and the screen as text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar, cast

import pytest
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

W = TypeVar("W", bound=Widget)
M = TypeVar("M", bound=Message)

SIZES = ((80, 24), (120, 40), (200, 60))
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))

NASTY = (
    "[/red]x",
    "[bold]a[/bold]",
    "日本語の名前",
    "👨‍👩‍👧 family",
    "שלום עולם",
    "nul\x00nul",
    "\x1b[31mred\x1b]0;t\x07",
    "half \ud800",
    "two\nlines\r\tx",
    "e\u0301\u0301",
    "\u202eoverride",
    "",
    "x" * 500,
)


class Stage(App[None], Generic[W]):
    """Hosts one widget."""

    def __init__(self, widget: W) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


class Show(Generic[W]):
    """A running stage, and what can be seen on it."""

    def __init__(self, app: Stage[W], pilot: Pilot[None], heard: list[Message]) -> None:
        self.app = app
        self.pilot = pilot
        self.widget = app.widget
        self.heard = heard

    async def settle(self) -> None:
        """Let everything be painted."""
        await self.pilot.pause()

    async def wheel_down(self) -> None:
        """Turn the mouse wheel by one notch over the widget."""
        wheel: list[type[events.MouseEvent]] = [events.MouseScrollDown]
        await self.pilot._post_mouse_events(wheel, self.widget, offset=(5, 5))
        await self.settle()

    @property
    def rows(self) -> list[str]:
        """The screen as text, without trailing spaces."""
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.rows)

    def style_of(self, found: str) -> Style:
        """The style of the first character of a text on the screen."""
        for strip in self.app.screen._compositor.render_strips():
            at = strip.text.find(found)
            for text, style, _ in strip if at >= 0 else ():
                if at < len(text):
                    return style or Style()
                at -= len(text)
        pytest.fail(f"{found!r} is not on the screen:\n{self.text}")

    def said(self, kind: type[M]) -> list[M]:
        """The messages of one kind that were posted so far, each once though it bubbles."""
        return list({id(m): m for m in self.heard if isinstance(m, kind)}.values())

    def ink(self, name: str) -> str:
        """The colour of a component class."""
        color = self.widget.get_component_rich_style(name).color
        assert color is not None
        return color.name

    def inked(self, found: str) -> str:
        """The colour of a text on the screen."""
        color = self.style_of(found).color
        assert color is not None
        return color.name


@asynccontextmanager
async def staged(widget: W, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Show[W]]:
    """Run an app of `size` around `widget`."""
    heard: list[Message] = []
    app = Stage(widget)
    async with app.run_test(size=size, message_hook=heard.append) as pilot:
        await pilot.pause()
        yield Show(app, pilot, heard)


def recording(kind: type[W]) -> tuple[type[W], list[int]]:
    """A subclass of a widget that notes the rows it is asked to paint again (-1: all)."""
    painted: list[int] = []

    def refresh(self: W, *regions: Region, **options: bool) -> Widget:
        painted.extend([y for region in regions for y in region.line_range] or [-1])
        return kind.refresh(self, *regions, **options)

    return cast("type[W]", type(kind.__name__, (kind,), {"refresh": refresh})), painted
