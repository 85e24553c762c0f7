"""A viewer for what a terminal cannot show: plots, HTML and pictures, on a page of a browser."""
