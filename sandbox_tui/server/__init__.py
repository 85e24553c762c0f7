"""The room daemon and its socket, and HTTP: what other processes talk to."""
