"""tmux sessions: one control-mode client per server for looking, one process per deed."""
