"""`python -m tui` is `nearbench`."""

import sys

from tui.cli import main

sys.exit(main())
