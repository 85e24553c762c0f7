# shellcheck shell=bash
# Podman has no daemon; its API is a service process, and the tests get one of their own.

podman_socket() { echo "$state/podman.sock"; }
podman_answers() { [ -S "$(podman_socket)" ] && answers "$(podman_socket)"; }

podman_env() {
    echo "export SANDBOX_TUI_TEST_PODMAN=unix://$(podman_socket)"
    under_systemd || echo "export CONTAINERS_CONF=$state/containers.conf"
}

# The stock settings expect systemd (cgroups, journal) and limits above what a container or a
# small machine allows.
podman_settings() {
    cat <<'TOML'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
TOML
    ! have runc || echo 'runtime = "runc"'
    cat <<'TOML'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
TOML
}

podman_up() {
    under_systemd || use_podman_settings
    podman_answers && return
    if ! have podman; then
        lack "no podman (apt-get install podman)"
    elif ! start_podman; then
        tail -n 5 "$state/podman.log" >&2
        lack "podman system service does not answer"
    fi
}

use_podman_settings() {
    podman_settings >"$state/containers.conf"
    export CONTAINERS_CONF=$state/containers.conf
}

start_podman() {
    local pid
    end_started podman
    rm -f "$(podman_socket)"
    # Its helpers leave files in the folder they are started in.
    cd "$state" && exec setsid podman system service --time=0 "unix://$(podman_socket)" \
        >"$state/podman.log" 2>&1 </dev/null 9>&- &
    pid=$!
    say "starting podman's service ($pid)"
    record_started podman "$pid"
    await_answer "$(podman_socket)" "$pid" 30
}
