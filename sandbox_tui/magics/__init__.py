"""The notebook's surface: magics that run cells in containers and rooms."""
