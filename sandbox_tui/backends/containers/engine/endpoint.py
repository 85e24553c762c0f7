"""Where a container engine listens, and which of several places is meant.

Read from the same sources, in the same order, as the engines' own command lines: `DOCKER_HOST`,
the current docker context, then the usual sockets. What somebody named is final: containers of
another engine must never appear under the name of the one that was asked for.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.model.errors import ConfigError

DOCKER_SOCKET = "/var/run/docker.sock"
PODMAN_SOCKET = "/run/podman/podman.sock"


class Endpoint(msgspec.Struct, frozen=True):
    """One address of an engine."""

    url: str
    """As `unix:///run/x.sock`, `tcp://host:2375`, `ssh://user@host`."""
    certificates: str = ""
    """Folder with `ca.pem`, `cert.pem` and `key.pem`; empty is a connection without TLS."""
    verify: bool = True

    @property
    def is_local(self) -> bool:
        """Whether the engine may run on this very machine: its processes may be ours to see."""
        return self.url.startswith("unix://")

    def environment(self) -> dict[str, str]:
        """What makes the engines' own command lines talk to this address."""
        variables = {"DOCKER_HOST": self.url, "CONTAINER_HOST": self.url}
        if self.certificates:
            variables["DOCKER_CERT_PATH"] = self.certificates
            variables["DOCKER_TLS_VERIFY"] = "1" if self.verify else ""
        return variables


class Choice(msgspec.Struct, frozen=True):
    """The addresses to try, best first, and in words where they come from."""

    endpoints: tuple[Endpoint, ...]
    origin: str = ""


def choose(named: str = "", env: Mapping[str, str] | None = None) -> Choice:
    """The addresses that `named` means.

    It is an address, `docker`, `podman`, the name of a docker context, or empty for whatever is
    found. Reads docker's configuration files; raises `ConfigError` when they cannot be used.
    """
    env = os.environ if env is None else env
    if named == "docker":
        return Choice((_socket(DOCKER_SOCKET),))
    if named == "podman":
        return Choice(podman_sockets(env))
    if "://" in named or named.startswith("/"):
        return Choice((_from_environment(_as_url(named), env),))
    return _of_context(named, env) if named else _discover(env)


def podman_sockets(env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """What `CONTAINER_HOST` names; without it the user's own podman, then the system's."""
    if named := env.get("CONTAINER_HOST"):
        return (Endpoint(_as_url(named)),)
    runtime_dir = env.get("XDG_RUNTIME_DIR")
    own = [_socket(f"{runtime_dir}/podman/podman.sock")] if runtime_dir else []
    return (*own, _socket(PODMAN_SOCKET))


def _discover(env: Mapping[str, str]) -> Choice:
    if host := env.get("DOCKER_HOST"):
        return Choice((_from_environment(_as_url(host), env),), "named by DOCKER_HOST")
    context = env.get("DOCKER_CONTEXT") or _current_context(env)
    if context and context != "default":
        return _of_context(context, env)
    usual = (_socket(DOCKER_SOCKET), *podman_sockets(env))
    return Choice(usual, 'tried DOCKER_HOST, context "default", podman')


def _socket(path: str) -> Endpoint:
    return Endpoint(f"unix://{path}")


def _as_url(text: str) -> str:
    return f"unix://{text}" if text.startswith("/") else text


def _from_environment(url: str, env: Mapping[str, str]) -> Endpoint:
    verify = bool(env.get("DOCKER_TLS_VERIFY"))
    folder = env.get("DOCKER_CERT_PATH", "") or (str(_docker_folder(env)) if verify else "")
    return Endpoint(url, folder, verify) if folder and url.startswith("tcp://") else Endpoint(url)


def _docker_folder(env: Mapping[str, str]) -> Path:
    named = env.get("DOCKER_CONFIG")
    return Path(named) if named else Path(env.get("HOME") or Path.home()) / ".docker"


class _Config(msgspec.Struct, rename="camel"):
    current_context: str = ""


class _ContextHost(msgspec.Struct, rename="pascal"):
    host: str
    skip_tls_verify: bool = msgspec.field(default=False, name="SkipTLSVerify")


class _ContextMeta(msgspec.Struct, rename="pascal"):
    endpoints: dict[str, _ContextHost]


def _current_context(env: Mapping[str, str]) -> str:
    path = _docker_folder(env) / "config.json"
    if not path.exists():
        return ""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Config).current_context
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(str(path), str(error)) from error


def _of_context(name: str, env: Mapping[str, str]) -> Choice:
    """Docker keeps a context in folders named by the hash of its name."""
    contexts, folder = _docker_folder(env) / "contexts", hashlib.sha256(name.encode()).hexdigest()
    path = contexts / "meta" / folder / "meta.json"
    try:
        host = msgspec.json.decode(path.read_bytes(), type=_ContextMeta).endpoints["docker"]
    except (OSError, msgspec.DecodeError, KeyError) as error:
        reason = f'docker context "{name}" cannot be read: {error}'
        raise ConfigError(str(path), reason, hint="Run: docker context ls") from error
    certificates = contexts / "tls" / folder / "docker"
    tls = str(certificates) if certificates.is_dir() else ""
    return Choice((Endpoint(host.host, tls, not host.skip_tls_verify),), f'context "{name}"')
