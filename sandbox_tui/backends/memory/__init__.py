"""Sandboxes that live in this process: for the demo, for the tests, and for trying things out.

They obey the same protocols and errors as the real ones, so the contract tests run on them first.
"""
