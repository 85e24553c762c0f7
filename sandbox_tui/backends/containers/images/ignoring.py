"""What a `.dockerignore` keeps out of a build, by Docker's own rules for it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FILE = ".dockerignore"

_PARTS = re.compile(r"\*\*/?|\*|\?|\[[^\]]*\]|\\.|.", re.DOTALL)


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    takes_back: bool


class Ignored:
    """Which paths of a folder stay out; the last rule that says something of one decides."""

    def __init__(self, lines: Iterable[str], needed: Iterable[str] = ()) -> None:
        """`needed` paths are never left out."""
        self._needed = frozenset(needed)
        self._rules = [rule for line in lines if (rule := _rule(line)) is not None]
        self.takes_back = any(rule.takes_back for rule in self._rules)
        """Whether something in an ignored folder may be wanted after all."""

    def has(self, path: str) -> bool:
        """Whether that path, relative to the folder, stays out."""
        if path in self._needed:
            return False
        ignored = False
        for rule in self._rules:
            if rule.takes_back == ignored and rule.pattern.match(path):
                ignored = not ignored
        return ignored


def read(folder: Path, needed: Iterable[str]) -> Ignored:
    """The rules of a folder."""
    file = folder / FILE
    lines = file.read_text("utf-8-sig", "replace").splitlines() if file.is_file() else []
    return Ignored(lines, needed)


def _rule(line: str) -> _Rule | None:
    text = line.strip()
    if not text or line.startswith("#"):
        return None
    takes_back = text.startswith("!")
    clean = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
    if clean == ".":
        return None
    # What lies below a matching folder matches, too.
    body = "".join(map(_translated, _PARTS.findall(clean)))
    return _Rule(re.compile(f"{body}(?:/.*)?\\Z", re.DOTALL), takes_back)


def _translated(part: str) -> str:
    if part.startswith("**"):
        return "(?:.*/)?" if part.endswith("/") else ".*"
    if part in ("*", "?"):
        return "[^/]*" if part == "*" else "[^/]"
    if part.startswith("[") and len(part) > 2:
        return f"[{part[1:-1]}]".replace("\\", "\\\\")
    return re.escape(part.removeprefix("\\") if len(part) > 1 else part)
