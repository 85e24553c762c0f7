#!/usr/bin/env bash
# kernel-context.sh ARCHIVE: what `docker build` makes the kernel image of, as a tar: ipykernel for
# the python of the image `python`, fetched by any python of this machine, and a Dockerfile.
set -euo pipefail

archive=$1
work=$(mktemp -d "$(dirname "$archive")/kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Debian 12 has 3.11, and so on: the image is of this machine's own distribution.
version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python=/usr/bin/python3
if ! "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv "$work/venv"
    python=$work/venv/bin/python
fi
"$python" -m pip --quiet install --no-compile --only-binary=:all: --python-version "$version" \
    --target "$work/kernel" 'ipykernel<8'

cat >"$work/Dockerfile" <<'DOCKERFILE'
FROM sandbox-tui-test/python
USER root
COPY kernel /opt/kernel
RUN python3 -m compileall -q /opt/kernel /usr/lib/python3*
ENV PYTHONPATH=/opt/kernel
USER sandbox
DOCKERFILE
tar -C "$work" -cf "$archive" Dockerfile kernel
