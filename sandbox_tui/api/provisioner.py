"""The kernel provisioner `sandbox-tui-container`, as jupyter_client finds it by its entry point."""

from __future__ import annotations

from traitlets import Unicode

from sandbox_tui.api.cages import cages_of
from sandbox_tui.backends.cages import Cages
from sandbox_tui.backends.kernels.caged_provisioner import CagedProvisioner


class ContainerProvisioner(CagedProvisioner):
    """Shuts kernels in as the user's configuration says."""

    image = Unicode("", help="What its kernels run in; empty is the configuration's.").tag(
        config=True
    )

    def make_cages(self) -> Cages:
        """Cages of the configured engine. Raises `ConfigError`."""
        from sandbox_tui.settings.load import load

        return cages_of(load().config, image=self.image)
