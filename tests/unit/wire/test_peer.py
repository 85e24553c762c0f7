"""Who is at the other end."""

import os
import socket

from sandbox_tui.runtime.peer import Peer, peer_of


def test_this_very_process() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert peer_of(here) == Peer(os.getpid(), os.geteuid())
        assert Peer(1, os.geteuid()).is_me
        assert not Peer(os.getpid(), os.geteuid() + 1).is_me
