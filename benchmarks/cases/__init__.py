"""One module per benchmark: `run()` yields its figures."""
