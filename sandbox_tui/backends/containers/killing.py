"""How a command inside a container is ended, with everything it has started.

Closing its connection does not end it, and the process ids that the engine knows are of another
world. So each command carries a tag in its environment and is ended from inside, by a command of
the same user: first found is what has the tag, then what belongs to the sessions of those, because
a program may have cleared its environment. It looks again until there is nothing left to kill.
"""

from __future__ import annotations

TAG = "SANDBOX_TUI_EXEC"

# $1 is the tag. Only what every busybox has: sh, grep, kill. Sessions 0 and 1 are of others.
_SCRIPT = r"""
tag=$1 sessions=' ' round=0
while [ $round -lt 50 ]; do
  round=$((round + 1)) killed=
  tagged=" $(echo $(grep -ls "$tag" /proc/[0-9]*/environ)) "
  for file in $tagged; do
    read -r stat <"${file%environ}stat" || continue
    set -- ${stat##*) }
    case $4 in 0 | 1) ;; *) sessions="$sessions$4 " ;; esac
  done
  for folder in /proc/[0-9]*; do
    read -r stat <"$folder/stat" || continue
    set -- ${stat##*) }
    case $1 in Z) continue ;; esac
    case $tagged in *" $folder/environ "*) hit=1 ;; *) hit= ;; esac
    case $sessions in *" $4 "*) hit=1 ;; esac
    [ "$hit" ] && kill -KILL "${folder#/proc/}" && killed=1
  done
  [ "$killed" ] || exit 0
done 2>/dev/null
exit 1
"""


def kill_command(execution_id: str) -> list[str]:
    """Command line that ends the execution with that id, when run in its container."""
    return ["sh", "-c", _SCRIPT, "sh", f"{TAG}={execution_id}"]
