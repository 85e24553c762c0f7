"""The code that moves a ready kernel to where it is wanted, without a trace in its namespace."""

from __future__ import annotations

from sandbox_tui.backends.kernels.launch import KernelRequest

FIRST_STEPS = "get_ipython().display_formatter.format(1)"
"""Has a kernel that stands by do once what takes longer the first time."""


def settling(request: KernelRequest) -> str:
    """Python for folder and variables; that it runs at all shows that the kernel lives."""
    lines = ["pass"]
    if request.env:
        lines.append(f"__import__('os').environ.update({dict(request.env)!r})")
    if request.working_dir and request.isolation == "none":
        lines.append(f"__import__('os').chdir({request.working_dir!r})")
        lines.append("get_ipython().user_ns['_dh'][:] = [__import__('pathlib').Path.cwd()]")
    return "\n".join(lines)
