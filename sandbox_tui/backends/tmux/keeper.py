"""The shell that stands between tmux and a command, so that its last words are not lost.

When the process that leads a terminal ends, the kernel throws away what nobody has read from that
terminal yet: a program that prints a long traceback and dies would often leave half of it. So a
small shell leads, gives the terminal to the command like to any foreground job, and ends a moment
later, in the same way as the command did: with its code, or of its signal.

A command that is suspended goes on at once, because nobody could tell it to. One case is left: a
dash that is stopped between fork and exec of a program (it uses vfork) neither stops nor goes on
until somebody sends it a SIGCONT, as under any shell.

The command itself is passed as words and never read by that shell. A string is for a shell by its
author's wish, so it goes to the user's own.
"""

from __future__ import annotations

from sandbox_tui.backends.tmux.wire import Words
from sandbox_tui.model.specs import Command

_NAME = "sandbox-tui"

# 145 to 150 say that the job was stopped: where no one could ever let it go on, it goes on.
_KEEPER = (
    'set -m; "$@"; s=$?; '
    "while [ $s -ge 145 ] && [ $s -le 150 ]; do fg >/dev/null; s=$?; done; "
    "sleep 0.1; [ $s -gt 128 ] && kill -$((s - 128)) $$ 2>/dev/null; exit $s"
)

_USERS_SHELL = ("sh", "-c", 'exec "${SHELL:-sh}" -c "$0"')

_AS_IT_IS = ("nice", "-n", "0", "--")
"""Runs a program by its name, whatever that is, and never a shell's builtin of that name."""


def kept(command: Command) -> Words:
    """What to have tmux run for a command."""
    inner = (*_USERS_SHELL, command) if isinstance(command, str) else (*_AS_IT_IS, *command)
    return ("sh", "-c", _KEEPER, _NAME, *inner)
