"""What the program costs, measured against its peers: `python -m benchmarks`."""
