"""The way to the engine: found when first needed, kept, made anew after a failure.

All talk with the engine happens in threads of two pools. Readings and orders are apart, so that
twenty containers that take their ten seconds to stop do not hold up the listing; an engine that
accepts and never answers costs these threads and nothing else.

The first engine that answered stays the one: while it is gone, another engine's containers must
not take the place of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from sandbox_tui.backends.containers.engine import faults
from sandbox_tui.backends.containers.engine.endpoint import Choice, Endpoint, choose
from sandbox_tui.model.errors import BackendUnavailableError, ConfigError, DeadlineError
from sandbox_tui.model.refs import Place
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

PATIENCE = 5
"""How long one reading may take, in seconds."""

CLOSE_SECONDS = 1.0

T = TypeVar("T")


class Closable(Protocol):
    """What holds something open."""

    def close(self) -> None:
        """Give it up."""
        ...


Opened = TypeVar("Opened", bound=Closable)


class Link:
    """Calls on the engine, from the loop (`ask`, `order`) or from a thread (`call`)."""

    def __init__(self, place: Place, endpoint: str, patience: int = PATIENCE) -> None:
        self.place = place
        self.patience = patience
        self._named = endpoint
        self._found: Endpoint | None = None
        self._engine: Engine | None = None
        self._finding = threading.Lock()
        self._closed = False
        self._readings = Pool(f"{place} readings", 4)
        self._orders = Pool(f"{place} orders", 16)

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the engine answered; `None` until it has."""
        return self._found

    async def ask(self, question: Callable[[Engine], T]) -> T:
        """Read something. Raises `BackendUnavailableError` also when it takes too long."""
        longest = 2.0 * self.patience + 1
        try:
            return await self._readings.run(longest, self.call, question)
        except DeadlineError as error:
            raise self._silent(longest) from error

    async def open(self, opening: Callable[[Engine], Opened]) -> Opened:
        """Open something to read; when nobody waits for it any more, it is closed at once."""
        opened: list[Opened] = []
        given_up = threading.Event()

        def open_it(engine: Engine) -> Opened:
            opened.append(opening(engine))
            if given_up.is_set():
                opened[0].close()
            return opened[0]

        try:
            return await self.ask(open_it)
        except BaseException:
            given_up.set()
            for each in opened:
                each.close()
            raise

    async def order(self, what: str, seconds: float, command: Callable[[Engine], T]) -> T:
        """Change something. Raises `DeadlineError` when it is not done in `seconds`."""
        try:
            return await self._orders.run(seconds, self.call, command)
        except DeadlineError as error:
            raise DeadlineError(what, seconds) from error

    def call(self, use: Callable[[Engine], T]) -> T:
        """Use the engine in this thread. Raises `BackendUnavailableError` when there is none."""
        engine = self._connected()
        try:
            return use(engine)
        except BackendUnavailableError:
            self._drop(engine)
            raise

    async def aclose(self) -> None:
        """Let go of the engine; calls that are under way end by themselves."""
        self._closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            with contextlib.suppress(DeadlineError):
                await self._orders.run(CLOSE_SECONDS, engine.close)
        self._readings.close()
        self._orders.close()

    def _connected(self) -> Engine:
        if not self._finding.acquire(timeout=self.patience):
            raise self._silent(self.patience)
        try:
            if self._closed:
                raise BackendUnavailableError(str(self.place), "closed")
            if self._engine is None:
                self._engine = self._find()
                self._found = self._engine.endpoint
            return self._engine
        finally:
            self._finding.release()

    def _find(self) -> Engine:
        from sandbox_tui.backends.containers.engine.engine import Engine

        choice = Choice((self._found,)) if self._found else self._choose()
        failures: list[BackendUnavailableError] = []
        for endpoint in choice.endpoints:
            try:
                return Engine(self.place, endpoint, self.patience)
            except BackendUnavailableError as error:
                failures.append(error)
                if not faults.nobody_there(error):
                    break
        raise _most_telling(failures, choice.origin)

    def _choose(self) -> Choice:
        try:
            return choose(self._named)
        except ConfigError as error:
            raise BackendUnavailableError(
                str(self.place), error.message, hint=error.hint
            ) from error

    def _drop(self, engine: Engine) -> None:
        """The next call connects anew, and asks which version it talks to now."""
        if self._engine is engine:
            self._engine = None
        engine.let_go()

    def _silent(self, seconds: float) -> BackendUnavailableError:
        where = self._found.url if self._found else self._named or "the engine"
        hint = "Restart the engine: systemctl restart docker"
        reason = f"cannot connect {where} (no answer in {seconds:g} s)"
        return BackendUnavailableError(str(self.place), reason, hint=hint)


def _most_telling(failures: list[BackendUnavailableError], origin: str) -> BackendUnavailableError:
    """The first place where there is something that we may not or cannot use, else the first."""
    present = [error for error in failures if not faults.is_missing(error)]
    first = (present or failures)[0]
    reason = f"{first.reason} · {origin}" if origin else first.reason
    return BackendUnavailableError(first.place, reason, hint=first.hint)
