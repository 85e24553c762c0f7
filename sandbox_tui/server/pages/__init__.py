"""Pages for what a terminal cannot show: plots, HTML and pictures, in a browser, on loopback."""
