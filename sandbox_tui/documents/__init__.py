"""Documents: the ordered cells of rooms, in memory and on disk."""
