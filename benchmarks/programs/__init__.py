"""Programs that are measured from outside, each in a process and a terminal of its own."""
