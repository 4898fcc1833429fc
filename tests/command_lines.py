"""Command lines of the package, run in this process: no second start of Python and torch for each."""

import contextlib
import csv
import io
import sys
from pathlib import Path
from unittest.mock import patch

from cephalometric.__main__ import main_or_exit


def call(*arguments: object) -> tuple[int, str, str]:
    """Run a command line; returns its exit status, stdout and stderr."""
    stdout, stderr, status = io.StringIO(), io.StringIO(), 0
    with (
        patch.object(sys, 'argv', ['cephalometric', *map(str, arguments)]),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main_or_exit()
        except SystemExit as ended:
            status = ended.code or 0
    return status, stdout.getvalue(), stderr.getvalue()


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by their headings."""
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))
