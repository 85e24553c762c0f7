"""`python -m sandbox_tui` is the `sandbox-tui` command."""

import sys

from sandbox_tui.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
