"""Images of an engine: pulled, built, carried as files, made of containers."""
