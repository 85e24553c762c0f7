"""What is said to a shell inside, in the language that bash, dash and busybox have in common.

A shell is told everything on its standard input: once what it needs to know, then each command.
Our own words begin with `_st_`. File descriptors 8 and 9 are the streams that it answers on,
whatever a command has done to 1 and 2, and 7 is the one that the engine gave it, when these are its
own. All are closed in what it runs, so that nothing that stays behind holds them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from sandbox_tui.backends.containers.commands.killing import ABORT, TAG
from sandbox_tui.model.specs import IDLING, WAITING, Inside

LABEL = WAITING[-1]

WORKER = WAITING
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


# Two pipes, made of here-documents; bash makes none of an empty one.
_PIPES = r"""{
command exec 3<<X 4<<X &&
empty
X
empty
X
command exec 3<>/proc/self/fd/3 4<>/proc/self/fd/4 && read -r _st_word <&3 && read -r _st_word <&4
} 2>/dev/null
printf '\001%s here\n' "$@TAG@"
""".replace("@TAG@", TAG)

# The same for the shell that a container's main process begins, which has no input from anybody
# either. That one is nothing but a `sleep` afterwards.
_FIRST = r"""(
command exec 3<<X 4<<X 5<<X &&
empty
X
empty
X
empty
X
command exec 3<>/proc/self/fd/3 4<>/proc/self/fd/4 5<>/proc/self/fd/5 &&
read -r _st_word <&3 && read -r _st_word <&4 && read -r _st_word <&5 &&
export @TAG@={tag} && exec {worker} <&5 5<&-
) 2>/dev/null; exec {idling}
""".replace("@TAG@", TAG)
_FIRST_OPENED = "exec </proc/self/fd/0\n"
_PIPES_TAKEN = "exec 7>&1 >/proc/self/fd/3 2>/proc/self/fd/4 3<&- 4<&-\n"
_PIPES_LEFT = "exec 3<&- 4<&-\n"

# Runs one program at a time as an exec of the engine would: in a session of its own, without input,
# with the environment that the shell itself has. Afterwards it looks whether anything is left that
# could still write where it writes: then it ends, and with it the connection.
#
# Process ids rise, so whatever came of the command is listed after what had been there before.
_WORKER_SETUP = r"""
for _st_word in setsid env ls; do command -v $_st_word >/dev/null || exit; done
[ -d /proc/self/fd ] || exit
unset IFS
_st_last() { for _st_word; do :; done; }
_st_streams() {
  exec 9>&2 2>/dev/null
  _st_last $(ls -l /proc/$$/fd/1); _st_out=$_st_word
  _st_last $(ls -l /proc/$$/fd/9); _st_err=$_st_word
}
_st_streams
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
    exec setsid "$@" </dev/null 2>&9 7>&- 9>&-
  )
  _st_code=$? _st_left=
  _st_list
  [ "$_st_pids" = "$_st_before" ] || _st_alone || _st_left=1
  printf '\001%s end %s\n' "$_st_nonce" "$_st_code" >&9
  printf '\001%s end %s %s\n' "$_st_nonce" "$_st_code" "$_st_left"
  [ -z "$_st_left" ] || exit
}
""".replace("@TAG@", TAG)

# After the end of a command is told which process is the newest, if another one than before: what
# ran before the next command is known by it from what that one starts. The end is told already
# then, so that nobody waits for it.
#
# A shell leaves its command at a signal, and never these functions. Bash is in a loop of ours then,
# if it is in nothing else; the others are in a script that is sourced. A `return` with nothing left
# to return from would end them: in commands, 8 is closed.
_SESSION_SETUP = rf"""
@STREAMS@
shift $#
if [ "${{BASH_VERSION-}}" ]; then
  _st_l() {{ @LINE@; }}
  shopt -s expand_aliases
  alias _st_l='@LINE@'
  trap 'case ${{FUNCNAME-}}${{BASH_SOURCE-}} in
    "" | main | _st_*) break 999 2>/dev/null ;;
    *) return 124 ;;
  esac' {ABORT}
else
  trap '{{ true >&8; }} 2>/dev/null || return 124' {ABORT}
fi
_st_z() {{
  _st_status=$?
  @STDERR@
  command printf '\001@NONCE@ end %s %s %s\n' "$1" "$_st_status" "-$-" >&8
  IFS= command read -r _st_load </proc/loadavg || return 0
  [ "$_st_newest" = "${{_st_load##* }}" ] || _st_tell
}}
_st_tell() {{
  _st_newest=${{_st_load##* }}
  command printf '\001@NONCE@ newest %s\n' "$_st_newest" >&8
}}
_st_newest=
printf '\001@NONCE@ ready %s %s\n' $$ "${{BASH_VERSION:-0}}"
"""

_NEAR = {"@STREAMS@": "exec 8>&1", "@CLOSED@": "7>&- 8>&-", "@STDERR@": ""}
_FAR = {
    "@STREAMS@": "exec 8>&1 9>&2",
    "@CLOSED@": "8>&- 9>&-",
    "@STDERR@": r"""command printf '\001@NONCE@ end %s\n' "$1" >&9""",
}

# Bash reads what it is told sign by sign, each by a system call, so most words are told once and
# kept under a name. That is an alias, because a function would have variables of its own; the
# function of that name is for who has removed the alias. A line is the quickest, but only for what
# is plain: a quote that is left open there ends bash now and then, as if its input had ended. All
# else, and whatever other shells are told, is read from a here-document, which is a pipe: a script
# that is sourced has ends and errors of its own, and a `return`. In both, `cd`, variables and
# functions stay. The colon is for a signal that came when bash had nothing to leave: it has its
# trap run before the next command, and not in it.
_LINE_KEPT = """\
:;for _ in 1;do command eval "$_st_c" </dev/null @CLOSED@;done
{ _st_z "$_st_n";} 2>/dev/null"""
_LINE = "_st_n={number} _st_c={code};_st_l\n"
_SCRIPT = """\
command . /proc/self/fd/6 6<<\\{limit} </dev/null 7>&- 8>&- 9>&-
{{ exec 6<&-; }} 2>&-
{code}
{limit}
{{ _st_z {number};}} 2>/dev/null
"""

_PLAIN = re.compile(
    r"""(?!.*\b(?:return|break|continue)\b)
    (?: [^'"`\\$#()\[{}<]++ | <(?!<) | \$[\w?!]
      | '[^']*+' | "(?: [^"`\\$]++ | \$[\w?!] )*+" )*+""",
    re.DOTALL | re.VERBOSE,
)
"""Words, pipes, redirections; quotes that are closed, and have only variables in them."""

TRACED = re.compile(rb"\. /proc/self/fd/6$")
"""The line that a shell under `set -x` says of our own words, before those of the command."""


def pipes() -> str:
    """Has a shell make two pipes, as its files 3 and 4; it answers with a mark `here`."""
    return _PIPES


def pipes_opened(*, opened: bool) -> str:
    """It answers on them from then on, if they were opened, else it has none any more."""
    return _PIPES_TAKEN if opened else _PIPES_LEFT


def first(tag: str) -> str:
    """Has a main process that waits begin a worker with that tag and pipes of its own."""
    return _FIRST.format(tag=tag, worker=shlex.join(WORKER), idling=shlex.join(IDLING))


def first_opened() -> str:
    """That worker ends from then on when nobody tells it anything any more."""
    return _FIRST_OPENED + _PIPES_TAKEN


def worker_setup(nonce: str) -> str:
    """What a worker is told first; it answers with a mark `ready`."""
    return f"{_WORKER_SETUP}printf '\\001%s ready\\n' {nonce}\n"


def worker_streams() -> str:
    """What it is told after it was given other streams."""
    return "_st_streams\n"


def session_setup(nonce: str, *, near: bool) -> str:
    """What the shell of a session is told first; `near` when stderr is heard before stdout.

    It answers with a mark `ready`, its process id, and its version if it is bash (else 0).
    """
    setup = _SESSION_SETUP.replace("@LINE@", _LINE_KEPT)
    for word, meaning in (_NEAR if near else _FAR).items():
        setup = setup.replace(word, meaning)
    return setup.replace("@NONCE@", nonce)


def program(nonce: str, tag: str, argv: Sequence[str], inside: Inside) -> str:
    """One program for a worker, which waits for one more line before it runs it.

    In a folder that there is not the worker ends, and has run nothing.
    """
    pairs = [f"{name}={value}" for name, value in inside.env.items()]
    words = ["env", *pairs, *argv] if pairs else argv
    return f"_st_run {nonce} {tag} {shlex.join((inside.working_dir, *words))}\n"


def command(number: str, code: str, *, in_line: bool = False) -> str:
    """One command for a session; `in_line` when its shell is bash and traces nothing.

    The shell answers with a mark `end` and the number, on each stream unless it is near; on stdout
    there follow the exit code and the shell's flags. A mark `newest` with a process id may come
    after that.
    """
    if in_line and _PLAIN.fullmatch(code):
        return _LINE.format(number=number, code=shlex.quote(code))
    return _SCRIPT.format(number=number, code=code, limit=_limit(code))


def _limit(code: str) -> str:
    """A line that is not in it."""
    limit = "X"
    while limit in code:
        limit += "X"
    return limit
