"""The HTTP API: every route is a face of one `Api`."""
