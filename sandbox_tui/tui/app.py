"""The dashboard as a program: a terminal to draw on, a theme, keys, and one screen.

Nothing here waits for a backend, and nothing that a backend needs is imported before the first
frame is on the screen.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType

from textual import on, work
from textual.binding import Binding
from textual.driver import Driver
from textual.message import Message

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.tui.bridge import Bridge, Connect
from sandbox_tui.tui.desk import Desk, Notice
from sandbox_tui.tui.outfit import Outfit
from sandbox_tui.tui.screens import stylesheet
from sandbox_tui.tui.screens.dashboard import Dashboard
from sandbox_tui.tui.typeahead import InOrder

PATIENCE = 5
"""How long leaving may take when the terminal is gone, in seconds."""

WIDTHS = [(0, "-narrow"), (100, "-normal"), (170, "-wide")]
HEIGHTS = [(0, "-short"), (30, "-tall"), (54, "-very-tall")]


class DashboardApp(InOrder, inherit_bindings=False):
    """The one app; see the module. `connect` is how it comes by an Api."""

    TITLE = "sandbox-tui"
    CSS = stylesheet("dashboard")
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        connect: Connect,
        outfit: Outfit | None = None,
        *,
        select: str = "",
        shown: Callable[[], object] | None = None,
    ) -> None:
        """`select` names the sandbox to begin with; `shown` is called after the first frame."""
        super().__init__()
        setattr(self._capture_stdout, "encoding", "utf-8")  # noqa: B010  Textual's has none
        self._shown = shown
        self._outfit = outfit or Outfit()
        self._bridge = Bridge(connect, self._post)
        self._dashboard = Dashboard(self, Desk(), self._bridge, self._outfit.keymap, wanted=select)
        self._bind_keys()
        self.register_theme(self._outfit.theme)
        self.theme = self._outfit.theme.name

    def get_default_screen(self) -> Dashboard:
        """The dashboard, styled for the size it begins with: styling again would cost a frame."""
        for room, steps in zip(self.size, (WIDTHS, HEIGHTS), strict=True):
            self._dashboard.add_class([name for least, name in steps if room >= least][-1])
        return self._dashboard

    def on_mount(self) -> None:
        """Leave when the terminal does, and tell what was wrong with the configuration."""
        if not self.is_headless:
            leave = partial(self._leave, asyncio.get_running_loop())
            for number in (signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, leave)
        for text in self._outfit.notices:
            self._dashboard.tell(Notice(text, "warning"))

    @on(Driver.SignalResume)
    def paint_again(self) -> None:
        """The program was stopped and goes on: whatever stood on the terminal, it is ours again."""
        self.refresh(layout=True)

    async def on_ready(self) -> None:
        """What is not needed for the first frame: the rules, then the backends."""
        if self._shown is not None:
            self._shown()
        self._dashboard.desk.heed(await asyncio.to_thread(self._outfit.rules))
        self._bridge.open()

    async def on_unmount(self) -> None:
        """Let go of the backends; what runs goes on running."""
        await self._bridge.close()

    @property
    def theme_names(self) -> Sequence[str]:
        """Every theme there is."""
        return self._outfit.themes.names

    @work(group="theme", exclusive=True)
    async def wear(self, name: str) -> None:
        """Use that theme; empty is the next one. A broken one is told, and changes nothing."""
        themes = self._outfit.themes
        try:
            theme = await asyncio.to_thread(themes.load, name or themes.after(self.theme))
        except ConfigError as error:
            self._dashboard.tell(Notice(f"{error.message}\n{error.hint}", "error"))
        else:
            self.register_theme(theme)
            self.theme = theme.name
            self._dashboard.tell(Notice(f"theme {theme.name}\n`ui.theme: {theme.name}` keeps it"))

    def _bind_keys(self) -> None:
        for key, command in self._outfit.keymap.bound():
            action = f"screen.press({command.id!r}, {key!r})"
            for binding in Binding.make_bindings([(key, action, command.title)]):
                self.bind(binding.key, action, show=False)
        self.bind("ctrl+c", "screen.tell_how_to_quit", show=False)

    def _post(self, message: Message) -> bool:
        return self._dashboard.post_message(message)

    def _leave(self, loop: asyncio.AbstractEventLoop, number: int, frame: FrameType | None) -> None:
        """The terminal is gone, or somebody ends us: nothing may keep the process alive.

        A handler of the loop would not do: what is written to a terminal that is gone blocks the
        loop for ever. So the system ends the process when leaving by the front door takes long.
        """
        del frame
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        loop.call_soon_threadsafe(partial(self.exit, return_code=128 + number))
