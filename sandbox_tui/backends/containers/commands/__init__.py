"""What runs inside containers by order of this program: commands, and shells that stay."""
