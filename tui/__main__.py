"""`nearbench`, and `python -m tui`. Ctrl-C while the program is still being loaded ends it without a traceback."""

import signal
import sys

__all__ = ["main"]


def main() -> int:
    """The command line; the exit status."""
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # ignored under nohup
    if is_ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui.cli import main as run

    if is_ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()


if __name__ == "__main__":
    sys.exit(main())
