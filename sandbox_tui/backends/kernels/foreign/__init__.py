"""Kernels that other programs started: found by their files or by a server, joined, never owned."""
