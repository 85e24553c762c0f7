"""What is said to a shell inside, in the language that bash, dash and busybox have in common.

A shell is told everything on its standard input: once what it needs to know, then each command.
Our own words begin with `_st_`; file descriptors 5, 6, 8 and 9 are the streams that it began with,
whatever a command has done to 1 and 2, and are closed in what it runs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from sandbox_tui.backends.containers.commands.killing import ABORT, TAG
from sandbox_tui.model.specs import Inside

LABEL = "sandbox-tui"
"""The argument by which our own shells are known in a list of processes."""

WORKER = ("sh", "-s", LABEL)
SESSION = (
    "sh",
    "-c",
    'command -v bash >/dev/null && exec bash -s "$1"; exec sh -s "$1"',
    "sh",
    LABEL,
)

_OWN = f" -s {LABEL}"


def is_own(command: str) -> bool:
    """Whether that line of a list of processes is a shell of this program."""
    return command.endswith(_OWN)


# Runs one program at a time as an exec of the engine would: in a session of its own, without input,
# with the environment that the shell itself has. Afterwards it looks whether anything is left that
# could still write where it writes: then it ends, and with it the connection.
#
# Process ids rise, so whatever came of the command is listed after what had been there before.
_WORKER_SETUP = r"""
for _st_word in setsid env ls; do command -v $_st_word >/dev/null || exit; done
[ -d /proc/self/fd ] || exit
exec 9>&2 2>/dev/null
unset IFS
_st_last() { for _st_word; do :; done; }
_st_last $(ls -l /proc/$$/fd/1); _st_out=$_st_word
_st_last $(ls -l /proc/$$/fd/9); _st_err=$_st_word
_st_list() { set -- /proc/[0-9]*; _st_pids=" $* "; }
_st_look() {
  _st_again=
  _st_list
  for _st_pid in $_st_pids; do
    case $_st_before in *" $_st_pid "*) continue ;; esac
    if _st_fds=$(ls -l "$_st_pid/fd"); then
      case $_st_fds in *"$_st_out"* | *"$_st_err"*) return 1 ;; esac
    elif [ -d "$_st_pid" ]; then
      return 1
    else
      _st_again=1
    fi
  done
}
_st_alone() {
  for _st_try in 1 2 3 4 5; do
    _st_look || return 1
    [ "$_st_again" ] || return 0
  done
  return 1
}
_st_run() {
  _st_nonce=$1 _st_tag=$2 _st_folder=$3
  shift 3
  [ -z "$_st_folder" ] || (cd -- "$_st_folder") || exit
  _st_list
  _st_before=$_st_pids
  printf '\001%s begin\n' "$_st_nonce"
  IFS= read -r _st_go || exit
  (
    [ -z "$_st_folder" ] || cd -- "$_st_folder" || exit
    unset SHLVL OLDPWD PWD
    export @TAG@="$_st_tag"
    exec setsid "$@" </dev/null 2>&9 9>&-
  )
  _st_code=$? _st_left=
  _st_list
  [ "$_st_pids" = "$_st_before" ] || _st_alone || _st_left=1
  printf '\001%s end %s\n' "$_st_nonce" "$_st_code" >&9
  printf '\001%s end %s %s\n' "$_st_nonce" "$_st_code" "$_st_left"
  [ -z "$_st_left" ] || exit
}
""".replace("@TAG@", TAG)

# After its end is told what runs then: that is spared when the next command has to be ended. It is
# told when the end is known already, so that nobody waits for it.
# A `return` with nothing left to return from would end the shell: in commands, 5 is closed.
_SESSION_SETUP = rf"""
exec 5>&1 6>&2 8>&1 9>&2
shift $#
_st_busy=
if [ "${{BASH_VERSION-}}" ]; then
  shopt -s expand_aliases
  trap 'case ${{BASH_SOURCE[0]-}} in "" | main) ;; *) return 124 ;; esac' {ABORT}
else
  trap '[ -z "$_st_busy" ] || {{ true >&5; }} 2>/dev/null || return 124' {ABORT}
fi
_st_say() {{
  local IFS=' '
  command printf '\001@NONCE@ %s\n' "$*" >&8
}}
_st_a() {{
  _st_busy=1
  exec 7<&- 8>&- 9>&-
}}
_st_z() {{
  _st_code=$? _st_busy=
  command printf '\001@NONCE@ end %s\n' "$1" >&9
  command printf '\001@NONCE@ end %s %s\n' "$1" "$_st_code" >&8
  case $- in
    *f*) set +f; _st_say others "$1" /proc/[0-9]*; set -f ;;
    *) _st_say others "$1" /proc/[0-9]* ;;
  esac
}}
"""

# The command is read from a here-document, which is a pipe: as a script that is sourced it can be
# left at a signal, its syntax errors are its own, and `cd`, variables and functions stay. The words
# around it are few and short: a shell reads them sign by sign.
_COMMAND = """\
command . /proc/self/fd/7 7<<\\{limit} </dev/null 8>&5 9>&6 5>&- 6>&-
{{ _st_a; }} 2>/dev/null
{code}
{limit}
{{ _st_z {number}; }} 2>/dev/null
"""

TRACED = re.compile(rb"[^\n]*\. /proc/self/fd/7\n")
"""What a shell under `set -x` says of our own words, before what it says of the command."""


def worker_setup(nonce: str) -> str:
    """What a worker is told first; it answers with a mark `ready`."""
    return f"{_WORKER_SETUP}printf '\\001%s ready\\n' {nonce}\n"


def session_setup(nonce: str) -> str:
    """What the shell of a session is told first.

    It answers with a mark `ready`, its process id, and what else runs.
    """
    setup = _SESSION_SETUP.replace("@NONCE@", nonce)
    return f"{setup}_st_say ready $$ /proc/[0-9]*\n"


def program(nonce: str, tag: str, argv: Sequence[str], inside: Inside) -> str:
    """One program for a worker, which waits for one more line before it runs it.

    In a folder that there is not the worker ends, and has run nothing.
    """
    pairs = [f"{name}={value}" for name, value in inside.env.items()]
    words = ["env", *pairs, *argv] if pairs else argv
    return f"_st_run {nonce} {tag} {shlex.join((inside.working_dir, *words))}\n"


def command(number: str, limit: str, code: str) -> str:
    """One command for a session; `limit` is a line that is not in its code.

    The shell answers with a mark `end` on each stream, on stdout with the exit code, and then with
    a mark `others` that tells what runs. Each has the number of the command.
    """
    return _COMMAND.format(number=number, limit=limit, code=code)
