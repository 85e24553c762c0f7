"""Jupyter kernels: launched, driven, found again and joined, without a Jupyter server."""
