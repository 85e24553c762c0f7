# shellcheck shell=bash
# Words, waiting, and the book of what this script started.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
state=${SANDBOX_TUI_ENGINES:-/tmp/sandbox-tui-engines-$(id -u)}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sandbox-tui-tests
lacking=0

say() { printf 'engines: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
under_systemd() { [ -d /run/systemd/system ]; }
under_ci() { case "${CI:-}" in '' | 0 | false) return 1 ;; esac; }

lack() {
    if under_ci; then
        say "error: $*"
        lacking=1
    else
        say "warning: $*; its tests will be skipped"
    fi
}

# Root's commands: as they are, through sudo when it asks nothing, else not at all.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}
can_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

# The folder is ours alone, and one `up` or `down` works in it at a time. Whatever is started
# from here closes descriptor 9, or it would hold the lock for its whole life.
open_state() {
    [ -d "$state" ] || mkdir -m 700 "$state"
    if [ ! -O "$state" ]; then
        say "error: $state belongs to somebody else"
        exit 1
    fi
    exec 9>"$state/lock"
    flock -w 1200 9 || {
        say "error: another run has held $state/lock for twenty minutes"
        exit 1
    }
}

# A raw ping: it needs no client program and tells a listening engine from an answering one.
answers() {
    python3 - "$1" 2>/dev/null <<'PY'
import socket, sys

with socket.socket(socket.AF_UNIX) as engine:
    engine.settimeout(5)
    engine.connect(sys.argv[1])
    engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
    reply = b""
    while chunk := engine.recv(4096):
        reply += chunk
sys.exit(not reply.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200")))
PY
}

# await_answer SOCKET PID SECONDS: ready, or its process is gone, or out of time.
await_answer() {
    local deadline=$((SECONDS + $3))
    until answers "$1"; do
        kill -0 "$2" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# A pid alone is not an identity: the kernel hands numbers out again. Pid and start time are.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
record_started() { echo "$2 $(start_time "$2")" >"$state/$1.pid"; }

end_started() {
    local pid started deadline
    [ -f "$state/$1.pid" ] || return 0
    read -r pid started <"$state/$1.pid" || true
    rm -f "$state/$1.pid"
    [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 0
    say "ending $1 ($pid)"
    kill "$pid" 2>/dev/null || return 0
    deadline=$((SECONDS + 20))
    while [ "$(start_time "$pid")" = "$started" ]; do
        [ "$SECONDS" -lt "$deadline" ] || { kill -KILL "$pid" 2>/dev/null && return 0; }
        sleep 0.1
    done
}
