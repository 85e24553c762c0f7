"""How what runs inside a container is ended, or sent a signal, with everything it has started.

Closing its connection does not end it, and the process ids that the engine knows are of another
world. So each command carries a tag in its environment and is ended from inside, by a command of
the same user: first found is what has the tag, then what belongs to the sessions of those, because
a program may have cleared its environment. It looks again until there is nothing left to kill.

A shell that stays is spared with what ran before its present command. It is told to give that
command up by SIGURG, for which it has a trap, and which does nothing to whoever has none.
"""

from __future__ import annotations

from signal import SIGKILL

TAG = "SANDBOX_TUI_EXEC"

ABORT = "URG"
"""The signal at which a shell that stays leaves its present command."""

_ROUNDS = 50

# $1 tag, $2 signal, $3 rounds, $4 the shell that stays, $5 the newest process id before its present
# command, $6 whether it is to leave that. Ids rise, and begin anew at some time: what has none of
# those from there to the newest now is spared, as the shell is.
# Only what every busybox has: sh, grep, kill. Sessions 0 and 1 are of others.
_SCRIPT = r"""
tag=$1 signal=$2 rounds=$3 shell=$4 since=$5 leave=$6 sessions=' ' round=0
spared() {
  [ "$1" != "$shell" ] || return 0
  [ "$since" ] || return 1
  if [ "$since" -le "$now" ]; then
    [ "$1" -le "$since" ] || [ "$1" -gt "$now" ]
  else
    [ "$1" -le "$since" ] && [ "$1" -gt "$now" ]
  fi
}
while [ $round -lt $rounds ]; do
  round=$((round + 1)) killed=
  [ "$leave" ] && kill -URG "$shell"
  tagged=" $(echo $(grep -ls "$tag" /proc/[0-9]*/environ)) "
  for file in $tagged; do
    read -r stat <"${file%environ}stat" || continue
    set -- ${stat##*) }
    case $4 in 0 | 1) ;; *) sessions="$sessions$4 " ;; esac
  done
  set -- /proc/[0-9]*
  read -r load </proc/loadavg
  now=${load##* }
  for folder; do
    ! spared "${folder#/proc/}" || continue
    read -r stat <"$folder/stat" || continue
    set -- ${stat##*) }
    case $1 in Z) continue ;; esac
    case $tagged in *" $folder/environ "*) hit=1 ;; *) hit= ;; esac
    case $sessions in *" $4 "*) hit=1 ;; esac
    [ "$hit" ] && kill -"$signal" "${folder#/proc/}" && killed=1
  done
  [ "$killed" ] || exit 0
done 2>/dev/null
exit 1
"""


def kill_command(tag: str) -> list[str]:
    """Command line that ends everything with that tag, when run in its container."""
    return _command(tag, SIGKILL, _ROUNDS)


def signal_command(tag: str, number: int, shell: str = "", since: str = "") -> list[str]:
    """Command line that sends a signal once, but not to the shell that stays.

    `since` is the newest process id before its present command, or empty to spare nothing else.
    """
    rounds = _ROUNDS if number == SIGKILL and not shell else 1
    return _command(tag, number, rounds, shell, since)


def abort_command(tag: str, shell: str, since: str) -> list[str]:
    """Command line that ends the present command of the shell with that process id."""
    return _command(tag, SIGKILL, _ROUNDS, shell, since, ABORT)


def _command(tag: str, signal: int, rounds: int, *details: str) -> list[str]:
    return ["sh", "-c", _SCRIPT, "sh", f"{TAG}={tag}", str(int(signal)), str(rounds), *details]
