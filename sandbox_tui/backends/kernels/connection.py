"""Where a kernel listens: its connection file, as every Jupyter program knows it."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Connection(msgspec.Struct, frozen=True):
    """Where a kernel listens and the key that signs its messages: a connection file."""

    transport: str
    ip: str
    key: str
    shell_port: int
    control_port: int
    iopub_port: int
    stdin_port: int = 0
    """0 where nothing can be asked."""
    signature_scheme: str = "hmac-sha256"
    kernel_name: str = ""

    def url(self, channel: str) -> str:
        """The zmq endpoint of `shell`, `control`, `stdin` or `iopub`."""
        port = {
            "shell": self.shell_port,
            "control": self.control_port,
            "iopub": self.iopub_port,
            "stdin": self.stdin_port,
        }[channel]
        joint = "-" if self.transport == "ipc" else ":"
        return f"{self.transport}://{self.ip}{joint}{port}"


def write_connection(path: Path, *, sockets: Path | None, kernel_name: str) -> Connection:
    """Choose where a new kernel listens and write its connection file, for its user only.

    With `sockets` it is ipc, on socket files that begin with that path; without, tcp on loopback.
    """
    from jupyter_client.connect import write_connection_file
    from jupyter_client.session import new_id_bytes

    write_connection_file(
        str(path),
        ip=str(sockets) if sockets else "127.0.0.1",
        transport="ipc" if sockets else "tcp",
        key=new_id_bytes(),
        kernel_name=kernel_name,
    )
    return read_connection(path)


def read_connection(path: Path) -> Connection:
    """Read a connection file. Raises `OSError` or `msgspec.MsgspecError`."""
    return msgspec.json.decode(path.read_bytes(), type=Connection)
