"""Kernels that stand ready: how many there are of each environment."""

from __future__ import annotations

import msgspec


class PoolState(msgspec.Struct, frozen=True, kw_only=True):
    """The ready kernels of one environment."""

    environment: str
    """`python`, a room's `env_source`, or `container` for isolated rooms."""
    size: int
    """How many there should be."""
    available: int = 0
    warming: int = 0
    """How many are on their way."""
    problem: str = ""
    """Why there are none, when they do not come up."""
