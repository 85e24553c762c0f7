"""Installed kernels: how each is launched and interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sandbox_tui.model.errors import InvalidSpecError

_KILLED = frozenset({"typescript"})
"""Languages of kernels that a SIGINT kills, though their kernelspecs do not say so: deno."""


class KernelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How an installed kernel is launched; `argv` has `{connection_file}` in it."""

    argv: tuple[str, ...]
    language: str
    resource_dir: str = ""
    env: Mapping[str, str] = {}
    interrupt_by_message: bool = False
    provisioner: str = ""
    """Name of the provisioner that launches it, when that is not an ordinary process."""

    @property
    def is_provisioned(self) -> bool:
        """Whether something else than an ordinary process launches it."""
        return self.provisioner not in ("", "local-provisioner")


def find_spec(name: str) -> KernelSpec:
    """The installed kernelspec of that name. Raises `InvalidSpecError` with those there are."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    specs = KernelSpecManager()
    try:
        found = specs.get_kernel_spec(name)
    except NoSuchKernel:
        raise InvalidSpecError("kernel", _absence(name, specs.find_kernel_specs())) from None
    provisioner = found.metadata.get("kernel_provisioner", {})
    return KernelSpec(
        argv=tuple(found.argv),
        language=found.language,
        resource_dir=found.resource_dir,
        env=dict(found.env),
        interrupt_by_message=found.interrupt_mode == "message" or found.language in _KILLED,
        provisioner=str(provisioner.get("provisioner_name", "")),
    )


def _absence(name: str, installed: Iterable[str]) -> str:
    if name in installed:
        return f"{name} wants a kernel provisioner that is not installed"
    known = ", ".join(sorted({"python", *installed}))
    return f"no kernel named {name!r} is installed; there are: {known}"
