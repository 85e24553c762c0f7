"""Code of a language as a command line: a program and its arguments, so that nothing is quoted."""

from __future__ import annotations

from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.specs import Command

PROGRAMS = {
    "python": ("python3", "-c"),
    "python3": ("python3", "-c"),
    "node": ("node", "-e"),
    "javascript": ("node", "-e"),
    "js": ("node", "-e"),
    "bun": ("bun", "-e"),
    "typescript": ("bun", "-e"),
    "ts": ("bun", "-e"),
    "deno": ("deno", "eval"),
    "bash": ("bash", "-c"),
    "sh": ("sh", "-c"),
    "zsh": ("zsh", "-c"),
    "ruby": ("ruby", "-e"),
    "perl": ("perl", "-e"),
    "php": ("php", "-r"),
    "lua": ("lua", "-e"),
    "r": ("Rscript", "-e"),
}
"""What runs code of a language, by its name."""


def command_of(code: str, lang: str | None) -> Command:
    """What to run. Raises `InvalidSpecError` for a language that is not known."""
    if lang is None:
        return code
    program = PROGRAMS.get(lang.lower())
    if program is None:
        raise InvalidSpecError("lang", f"{lang!r} is none of {', '.join(PROGRAMS)}")
    return (*program, code)
