# shellcheck shell=bash
# Docker: used as found, else started by systemd, else started by hand.

dockerd_pidfile=/var/run/docker.pid
containerd_pidfile=/var/run/docker/containerd/containerd.pid

docker_socket() {
    case "${DOCKER_HOST:-}" in
    unix://*) echo "${DOCKER_HOST#unix://}" ;;
    *) echo /var/run/docker.sock ;;
    esac
}

docker_up() {
    answers "$(docker_socket)" && return
    if ! have dockerd; then
        lack "no Docker engine answers and dockerd is not installed (apt-get install docker.io)"
    elif ! can_be_root; then
        lack "no Docker engine answers on $(docker_socket), and starting one takes root"
    elif under_systemd; then
        as_root systemctl start docker || lack "systemctl start docker failed"
    elif [ "$(id -u)" = 0 ]; then
        start_dockerd || lack "dockerd does not start, its last words are above"
    else
        lack "no Docker engine answers (as root: dockerd &)"
    fi
}

# The plain start picks the best storage driver that works. Inside another container none of the
# overlay kinds may, and vfs, slow and plain, works everywhere.
start_dockerd() {
    drop_stale_pidfile "$dockerd_pidfile" dockerd
    drop_stale_pidfile "$containerd_pidfile" containerd
    try_dockerd || { storage_failed && try_dockerd --storage-driver=vfs; } || {
        tail -n 15 "$state/dockerd.log" >&2
        return 1
    }
}

try_dockerd() {
    local pid
    : >"$state/dockerd.log"
    cd "$state" && exec setsid dockerd "$@" >>"$state/dockerd.log" 2>&1 </dev/null 9>&- &
    pid=$!
    say "starting dockerd ($pid) $*"
    record_started dockerd "$pid"
    await_answer "$(docker_socket)" "$pid" 90 && return
    # One that a package's own script has just started may hold the pid file and answer soon.
    if ! kill -0 "$pid" 2>/dev/null && await_answer "$(docker_socket)" $$ 5; then
        rm -f "$state/dockerd.pid"
        return
    fi
    end_started dockerd
    return 1
}

storage_failed() { grep -qiE 'graphdriver|storage-driver|overlay' "$state/dockerd.log"; }

# After a crash or a reboot the file names a pid that is free, or is by now somebody else's, or has
# ended and waits for its parent to hear of it; dockerd takes all of these for a running engine.
drop_stale_pidfile() {
    local pid
    [ -f "$1" ] || return 0
    pid=$(cat "$1")
    runs_as "$pid" "$2" || rm -f "$1"
}

runs_as() {
    [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:.*Z' "/proc/$1/status"
}
