#!/usr/bin/env bash
# The engines that the tests talk to: tmux, Docker, Podman, and two images that need no registry.
#
#   tests/engines.sh up       install and start what is missing; run it as often as you like
#   tests/engines.sh status   say what answers
#   tests/engines.sh env      print the variables the tests read, for `eval`
#   tests/engines.sh down     end what `up` started, and nothing else
#
# An engine that already answers is used and left alone. What cannot be had is a warning, and its
# tests are skipped; with CI set it is a failure.
#
# SANDBOX_TUI_ENGINES is the folder for pids, logs and sockets. Give a run its own, and its `down`
# ends that run's engines only.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/engines/common.sh
. "$here/engines/common.sh"
# shellcheck source=tests/engines/packages.sh
. "$here/engines/packages.sh"
# shellcheck source=tests/engines/docker.sh
. "$here/engines/docker.sh"
# shellcheck source=tests/engines/podman.sh
. "$here/engines/podman.sh"
# shellcheck source=tests/engines/images.sh
. "$here/engines/images.sh"

up() {
    open_state
    install_missing
    docker_up
    podman_up
    images_up
    write_env
    status
    [ "$lacking" = 0 ]
}

down() {
    [ -d "$state" ] || return 0
    open_state
    end_started podman
    end_started dockerd
    find "$state" -mindepth 1 ! -name lock -delete
}

write_env() {
    : >"$state/env"
    ! podman_answers || podman_env >"$state/env"
}

status() {
    say "tmux    $(tmux -V 2>/dev/null || echo missing)"
    say "docker  $(docker_socket)$(answers "$(docker_socket)" || echo ': no answer')"
    say "podman  $(podman_socket)$(podman_answers || echo ': no answer')"
}

case "${1:-}" in
up) up ;;
down) down ;;
status) status ;;
env) [ ! -f "$state/env" ] || cat "$state/env" ;;
*)
    sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
