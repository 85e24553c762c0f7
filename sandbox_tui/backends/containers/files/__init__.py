"""Files of containers: read, written, listed, and whole trees copied in and out."""
