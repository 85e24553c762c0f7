"""Keys are acted on one at a time, in the order they were pressed, however fast they come.

Textual hands a key to the focused widget and looks for a binding when the key has bubbled up again.
Somebody who types `/`, a name and enter in one go would so have the letters of the name taken for
commands, because the field they are meant for has no focus yet. Here a bound key is acted on before
the next one is looked at, and the next one waits for what the last one opens or closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen
from textual.widget import Widget

Answer = TypeVar("Answer")

OPENING = 2.0
"""Longest wait for what a key opens, in seconds."""

CLOSING = 25
"""How many times 2 ms a field may take to close at a key that may close it."""

ENDS = ("enter", "escape", "ctrl+c", "ctrl+j", "ctrl+q", "shift+enter")


class InOrder(App[None], inherit_bindings=False):
    """An app that acts on one key at a time."""

    _held: Callable[[], Awaitable[object]] | None = None

    def hold_keys(self, until: Callable[[], Awaitable[object]]) -> None:
        """Let the next key wait for this."""
        self._held = until

    def ask(self, screen: ModalScreen[Answer], then: Callable[[Answer | None], None]) -> None:
        """Show a screen that answers; the next key is for it, and waits until it is there."""
        mounted = self.push_screen(screen, then)
        self.hold_keys(lambda: mounted)

    def pop_screen(self) -> AwaitComplete:
        """Leave a screen; the next key waits until its answer has been heard."""
        popped = super().pop_screen()
        self.hold_keys(self._heard)
        return popped

    async def on_event(self, event: events.Event) -> None:
        """See the module."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        await self._release()
        field = self._field()
        if field is not None and field.check_consume_key(event.key, event.character):
            await super().on_event(event)
        else:
            await self._act(event, field)
        if field is not None and event.key in ENDS:
            self.hold_keys(lambda: self._left(field))

    async def _act(self, event: events.Key, field: Widget | None) -> None:
        """Do what the key is bound to, when the field has the text that was typed before it."""
        if field is not None:
            await _digested(field)
        if not await self._check_bindings(event.key):
            await super().on_event(event)

    def _field(self) -> Widget | None:
        """The focused widget, if keys are text for it."""
        field = self.focused
        return field if field is not None and field.check_consume_key("a", "a") else None

    async def _release(self) -> None:
        """Wait for what is opened or closed, and for what that opens in turn."""
        async with asyncio.timeout(OPENING):
            while self._held is not None:
                held, self._held = self._held, None
                await held()

    async def _left(self, field: Widget) -> None:
        """Until it has given the keys back; at once when it only wanted another line."""
        for _ in range(CLOSING):
            if self.focused is not field:
                return
            await asyncio.sleep(0.002)

    async def _heard(self) -> None:
        """Until everybody has done what a screen that closed has told them."""
        await _digested(self.screen)
        await self._flush_next_callbacks()


async def _digested(widget: Widget) -> None:
    """Until it has done everything it was told so far."""
    done = asyncio.Event()
    widget.call_later(done.set)
    async with asyncio.timeout(OPENING):
        await done.wait()
