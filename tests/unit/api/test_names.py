"""The names that are imported from a package are what it says they are, whatever is loaded when."""

from __future__ import annotations

import pkgutil

import sandbox_tui
import sandbox_tui.api


def test_no_module_takes_the_place_of_a_name() -> None:
    for package in (sandbox_tui, sandbox_tui.api):
        modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
        assert modules.isdisjoint(package.__all__)
