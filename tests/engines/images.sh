# shellcheck shell=bash
# Three images without a registry: `busybox` from this machine's static one, `python` from the
# distribution's packages, `kernel` from both it and PyPI. An image's comment is the hash of what made it, so a changed recipe is
# imported anew and an unchanged one costs one look.

engines_dir=$(dirname "${BASH_SOURCE[0]}")

images_up() {
    ! answers "$(docker_socket)" || docker_images
    ! podman_answers || busybox_image podman || lack "podman does not import the busybox image"
}

docker_images() {
    busybox_image docker || lack "docker does not import the busybox image"
    python_image || lack "no python image (building it takes root and debootstrap)"
    kernel_image || lack "no kernel image (building it takes the python image and PyPI)"
}

# import_image CLIENT NAME KEY [--change …] : the archive comes on standard input.
import_image() {
    local client=$1 image=sandbox-tui-test/$2 key=$3
    shift 3
    say "importing $image into $client"
    "$client" import -m "$key" "$@" - "$image:latest" >/dev/null 9>&-
}

up_to_date() {
    [ "$("$1" image inspect -f '{{.Comment}}' "sandbox-tui-test/$2:latest" 2>/dev/null)" = "$3" ]
}

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

busybox_image() {
    local key
    key=$(hash_of "$engines_dir/images.sh" "$(static_busybox)") || return
    up_to_date "$1" busybox "$key" && return
    busybox_tar | import_image "$1" busybox "$key" --change 'CMD ["sh"]'
}

busybox_tar() (
    umask 022
    root=$(mktemp -d) && trap 'rm -rf "$root"' EXIT && cd "$root" || exit
    mkdir -p bin etc root usr home/sandbox
    mkdir -m 1777 tmp
    ln -s ../bin usr/bin
    cp "$(static_busybox)" bin/busybox
    for applet in $(bin/busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "bin/$applet"
    done
    printf '%s\n' root:x:0:0:root:/root:/bin/sh sandbox:x:1000:1000::/home/sandbox:/bin/sh >etc/passwd
    printf '%s\n' root:x:0: sandbox:x:1000: >etc/group
    tar --numeric-owner --owner=0 --group=0 -cf all.tar bin etc root tmp usr
    tar --numeric-owner --owner=1000 --group=1000 -rf all.tar home/sandbox
    cat all.tar
)

python_key() { hash_of "$engines_dir/python-rootfs.sh" /etc/os-release; }
python_tar() { echo "$cache/python-$(uname -m)-$(python_key).tar"; }

python_image() {
    up_to_date docker python "$(python_key)" && return
    [ -f "$(python_tar)" ] || build_python_tar || return
    import_image docker python "$(python_key)" --change 'USER sandbox' \
        --change 'WORKDIR /home/sandbox' --change 'CMD ["bash"]' <"$(python_tar)"
}

# The archive appears under its name only when it is whole; older recipes' archives go.
build_python_tar() {
    local part
    have debootstrap && can_be_root || return
    mkdir -p "$cache"
    part=$(mktemp "$cache/part.XXXXXX")
    say "building the python image's files with debootstrap, once per machine"
    if ! as_root bash "$engines_dir/python-rootfs.sh" "$part" >"$state/debootstrap.log" 2>&1 9>&-; then
        tail -n 10 "$state/debootstrap.log" >&2
        rm -f "$part"
        return 1
    fi
    rm -f "$cache"/python-*.tar
    mv "$part" "$(python_tar)"
}

# `python` with ipykernel, compiled inside: the root of an isolated kernel is read-only.
kernel_key() { hash_of "$engines_dir/kernel-context.sh" "$engines_dir/python-rootfs.sh" /etc/os-release; }
kernel_context() { echo "$cache/kernel-$(uname -m)-$(kernel_key).tar"; }

kernel_image() {
    local found label='{{index .Config.Labels "sandbox-tui-test"}}'
    found=$(docker image inspect -f "$label" sandbox-tui-test/kernel:latest 2>/dev/null) || true
    [ "$found" = "$(kernel_key)" ] && return
    [ -f "$(kernel_context)" ] || build_kernel_context || return
    say "building sandbox-tui-test/kernel"
    docker build --quiet --network none --label "sandbox-tui-test=$(kernel_key)" \
        --tag sandbox-tui-test/kernel - <"$(kernel_context)" >"$state/kernel.log" 2>&1 9>&- || {
        tail -n 10 "$state/kernel.log" >&2
        return 1
    }
}

build_kernel_context() {
    local part
    mkdir -p "$cache"
    part=$(mktemp "$cache/part.XXXXXX")
    say "fetching ipykernel for the kernel image, once per machine"
    if ! bash "$engines_dir/kernel-context.sh" "$part" >"$state/kernel.log" 2>&1 9>&-; then
        tail -n 10 "$state/kernel.log" >&2
        rm -f "$part"
        return 1
    fi
    rm -f "$cache"/kernel-*.tar
    mv "$part" "$(kernel_context)"
}
