#!/usr/bin/env bash
# python-rootfs.sh ARCHIVE: a small system with python3, bash and the user `sandbox`, as a tar.
# Needs root. The mirror and the proxy are the ones that apt is set up with.
set -euo pipefail

archive=$1
. /etc/os-release
work=$(mktemp -d "$(dirname "$archive")/root.XXXXXX")

# A debootstrap that dies half-way leaves /proc and more mounted below; removing must not walk in.
clean_up() {
    awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts |
        sort -r | xargs -r umount -l
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT

apt_mirror() {
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v suite="$VERSION_CODENAME" '$1 == suite && $2 == "main" { print $3; exit }'
}

# `mirror+file:` is apt's own scheme for a file that lists mirrors.
plain_mirror() {
    case "$1" in
    mirror+file:*) awk '/^https?:/ { print $1; exit }' "${1#mirror+file:}" ;;
    *) echo "$1" ;;
    esac
}

use_apt_proxy() {
    local proxy='' secure=''
    eval "$(apt-config shell proxy Acquire::http::Proxy secure Acquire::https::Proxy)"
    [ -z "$proxy" ] || export http_proxy=$proxy
    [ -z "$secure" ] || export https_proxy=$secure
}

mirror=$(plain_mirror "$(apt_mirror)")
[ -n "$mirror" ] || { echo "apt names no mirror for $VERSION_CODENAME main" && exit 1; }
use_apt_proxy

root=$work/root
debootstrap --variant=minbase --include=python3,bash "$VERSION_CODENAME" "$root" "$mirror"
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash sandbox
ln -s /usr/bin/python3 "$root/usr/local/bin/python"

# Of no use in a test, or this machine's own business.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
    "$root"/usr/share/{doc,man,locale,info}/* "$root"/etc/apt/sources.list*
: >"$root/etc/resolv.conf"
echo sandbox >"$root/etc/hostname"

tar --numeric-owner --one-file-system -C "$root" -cf "$archive" .
