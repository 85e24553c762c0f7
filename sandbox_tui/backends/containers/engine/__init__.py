"""An engine, Docker or Podman: where it listens, how it is spoken to, what it answers."""
