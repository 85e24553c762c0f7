"""Keeps one backend's picture fresh, at its own pace and without harm to the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from sandbox_tui.backends.base import Backend, Holds, Wakes
from sandbox_tui.model.errors import BackendUnavailableError, SandboxError
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ticker import Ticker

DEADLINE = 5.0
"""How long a listing may take, in seconds."""


class Poller:
    """One backend, its last listing and its health; `publish` is called after every poll."""

    def __init__(
        self,
        backend: Backend,
        publish: Callable[[], None],
        *,
        interval: float = 1.0,
        deadline: float = DEADLINE,
    ) -> None:
        self.backend = backend
        self.sandboxes: Sequence[Sandbox] = ()
        self.health: Health | None = None
        self._begun = 0
        self._finished = 0
        self._ticker = Ticker(interval)
        self._deadline = deadline
        self._publish = publish
        self._polled = Pulse()
        self._turn = asyncio.Lock()
        self._last_ok: float | None = None

    async def run(self) -> None:
        """Poll for ever. Never raises for what the backend does."""
        if isinstance(self.backend, Wakes):
            self.backend.listen(self._ticker.wake)
        woken = True
        while True:
            async with self._turn:
                await self._poll(woken)
            woken = await self._ticker.wait()

    async def refresh(self) -> None:
        """Return after a poll that began after this call."""
        wanted = self._begun + 1
        while self._finished < wanted:
            self._ticker.hurry()
            await self._polled.wait()

    async def poll(self) -> None:
        """Ask once and publish what it said, or that it said nothing."""
        async with self._turn:
            await self._poll(True)

    async def _poll(self, asked: bool) -> None:
        """Unless it is `asked` for, a listing that still holds is not made anew."""
        self._begun += 1
        number = self._begun
        try:
            async with asyncio.timeout(self._deadline):
                holds = not asked and self._holds
                sandboxes = self.sandboxes if holds else await self.backend.poll()
                health = await self.backend.probe()
        except SandboxError as error:
            self._failed(error)
        except TimeoutError:
            reason = f"no answer within {self._deadline:g} s"
            self._failed(BackendUnavailableError(str(self.backend.place), reason))
        except Exception as error:  # noqa: BLE001  # a faulty backend harms only itself
            reason = f"{type(error).__name__}: {error}"
            self._failed(BackendUnavailableError(str(self.backend.place), reason))
        else:
            self._succeeded(sandboxes, health)
        self._finished = number
        self._publish()
        self._polled.fire()

    @property
    def _holds(self) -> bool:
        was_ok = self.health is not None and self.health.ok
        return was_ok and isinstance(self.backend, Holds) and self.backend.holds

    def _succeeded(self, sandboxes: Sequence[Sandbox], health: Health) -> None:
        self._ticker.succeeded()
        self._last_ok = time.time()
        self.sandboxes = sandboxes
        self._tell(health)

    def _failed(self, error: SandboxError) -> None:
        self._ticker.failed()
        if self.health is None or self.health.ok:
            since = self._last_ok or time.time()
            stale = msgspec.structs.replace
            self.sandboxes = [stale(box, stale_since=since) for box in self.sandboxes]
        reason = error.reason if isinstance(error, BackendUnavailableError) else error.message
        self._tell(
            Health(
                place=str(self.backend.place),
                ok=False,
                detail=reason,
                hint=error.hint,
                retry_at=time.time() + self._ticker.pause,
            )
        )

    def _tell(self, health: Health) -> None:
        """Keep `since` while it stays as it is, so that an unchanged health is equal."""
        last = self.health
        same = last is not None and (last.ok, last.impaired) == (health.ok, health.impaired)
        since = last.since if last is not None and same else time.time()
        self.health = msgspec.structs.replace(health, since=since)
