"""One verb done to several sandboxes: whatever fails of it is told once, when all have answered."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox_tui.model.actions import Action
from sandbox_tui.tui.desk import Notice


class Bulk:
    """The actions of one verb; `title` is what it is called."""

    def __init__(self, title: str, actions: Sequence[Action], refused: Sequence[str]) -> None:
        """`refused` says why for each sandbox that it was not even tried on."""
        self._title = title
        self._count = len(actions) + len(refused)
        self._waiting = list(actions)
        self._reasons = list(refused)

    def takes(self, action: Action, reason: str) -> bool:
        """Whether that very action was one of these; an empty `reason` says that it is done."""
        waiting = [one for one in self._waiting if one is not action]
        if len(waiting) == len(self._waiting):
            return False
        self._waiting = waiting
        if reason:
            self._reasons.append(reason)
        return True

    @property
    def is_over(self) -> bool:
        """Whether all of them have answered."""
        return not self._waiting

    @property
    def notice(self) -> Notice | None:
        """What to tell when it is over; nothing when all went well."""
        if not self._reasons:
            return None
        first, failed = self._reasons[0], len(self._reasons)
        rest = "\nthe Events of each say why" if failed > 1 else ""
        return Notice(f"{failed} of {self._count} failed: {first}{rest}", "error", self._title)
