# shellcheck shell=bash
# What the distribution's packages give. Nothing is installed that is already there.

install_missing() {
    local wanted=()
    have tmux || wanted+=(tmux)
    have chromium || wanted+=(chromium)
    have ps || wanted+=(procps)
    static_busybox >/dev/null || wanted+=(busybox-static)
    have podman || wanted+=(podman)
    # Podman's --init is catatonit.
    have catatonit || [ -x /usr/libexec/podman/catatonit ] || wanted+=(catatonit)
    answers "$(docker_socket)" || have dockerd || wanted+=(docker.io)
    [ -f "$(python_tar)" ] || have debootstrap || wanted+=(debootstrap)
    [ ${#wanted[@]} = 0 ] || apt_install "${wanted[@]}" || true
    # Newer distributions ship the client apart from the engine.
    have docker || apt_install docker-cli || true
    have tmux || lack "no tmux (apt-get install tmux)"
}

static_busybox() {
    local found
    for found in /bin/busybox /usr/bin/busybox; do
        if [ -x "$found" ] && ! ldd "$found" >/dev/null 2>&1; then
            echo "$found"
            return
        fi
    done
    return 1
}

apt_install() {
    if ! have apt-get || ! can_be_root; then
        say "warning: cannot install $* (that takes apt-get and root)"
        return 1
    fi
    say "installing $*"
    apt_quietly install --no-install-recommends "$@" && return
    apt_quietly update || true
    apt_quietly install --no-install-recommends "$@"
}

apt_quietly() {
    local log=$state/apt.log
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null 9>&- && return
    tail -n 5 "$log" >&2
    return 1
}
