"""YAML files → one typed `Config`, with where each value came from."""
