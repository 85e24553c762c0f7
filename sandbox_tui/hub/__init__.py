"""The one service under every surface: backends become one World, Actions become calls."""
