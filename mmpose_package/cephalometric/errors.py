"""The one exception for what a user can mend: a wrong path, file, value or combination of flags."""


class InputError(Exception):
    """An input is unusable. The message names the file, the value and the remedy, and needs no traceback.

    The scripts and the command line print the message alone and exit with status 2. A defect of this package is any
    other exception and keeps its traceback.
    """
