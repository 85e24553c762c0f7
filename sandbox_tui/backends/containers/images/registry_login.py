"""Who this user is to a registry, as `docker login` and `podman login` have written it down."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

_HUB = "docker.io"
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", _HUB)
_HELPER_SECONDS = 10


class _Login(msgspec.Struct, frozen=True, rename="lower"):
    auth: str = ""
    identitytoken: str = ""


class _Logins(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Login] = {}  # msgspec copies it
    creds_store: str = ""
    cred_helpers: dict[str, str] = {}


class _Secret(msgspec.Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


def authentication(registry: str) -> Mapping[str, str]:
    """The header that tells an engine who asks; none for somebody unknown there."""
    names = _HUB_KEYS if registry == _HUB else (registry, f"https://{registry}")
    for file in _files():
        logins = _read(file)
        for name in names:
            if found := _login(logins, name):
                return {"X-Registry-Auth": base64.urlsafe_b64encode(found).decode()}
    return {}


def _files() -> tuple[Path, ...]:
    """Docker's, then podman's."""
    env = os.environ
    named = env.get("DOCKER_CONFIG")
    docker = Path(named) if named else Path(env.get("HOME") or Path.home()) / ".docker"
    runtime_dir = env.get("XDG_RUNTIME_DIR")
    podman = [Path(runtime_dir) / "containers" / "auth.json"] if runtime_dir else []
    return (docker / "config.json", *podman)


def _read(file: Path) -> _Logins:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Logins)
    except (OSError, msgspec.MsgspecError):  # then nobody is logged in
        return _Logins()


def _login(logins: _Logins, name: str) -> bytes | None:
    helper = logins.cred_helpers.get(name) or logins.creds_store
    if helper and (secret := _ask_helper(helper, name)):
        return _told(secret.username, secret.secret, name)
    login = logins.auths.get(name)
    if login is None:
        return None
    user, _, password = base64.b64decode(login.auth + "==").decode().partition(":")
    if login.identitytoken:
        return msgspec.json.encode({"identitytoken": login.identitytoken, "serveraddress": name})
    return _told(user, password, name) if user else None


def _told(user: str, password: str, name: str) -> bytes:
    if user == "<token>":
        return msgspec.json.encode({"identitytoken": password, "serveraddress": name})
    return msgspec.json.encode({"username": user, "password": password, "serveraddress": name})


def _ask_helper(helper: str, name: str) -> _Secret | None:
    """The keychain program that docker uses too; it knows nothing of most registries."""
    try:
        done = subprocess.run(
            (f"docker-credential-{helper}", "get"),
            input=name.encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=_Secret)
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError):
        return None
