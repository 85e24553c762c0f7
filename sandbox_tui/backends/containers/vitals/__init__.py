"""What containers use: processor, memory, traffic."""
