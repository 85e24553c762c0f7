"""The frame around the live widgets: top bar, footer, input line, the viewer and the wall."""
