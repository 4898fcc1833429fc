"""What a user can mend, a wrong path, file, value or combination of flags, and how programs say it."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """An input is unusable. The message names the file, the value and the remedy, and needs no traceback.

    The scripts and the command line print the message alone and exit with status 2. A defect of this package is any
    other exception and keeps its traceback.
    """


def run_step(main: Callable[[], None]) -> None:
    """Run the main function of a program: a user's mistake ends it with one message and status 2, Ctrl-C with 130."""
    try:
        main()
    except InputError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
