#!/usr/bin/env python3
"""Write test/stack1.mha, the two synthetic X-rays that step 5 and test.sh work on."""

import argparse
import os
import tempfile
from pathlib import Path

from cephalometric.errors import run_step
from cephalometric.phantom.phantom_stack import STACK_NAME, write_challenge_dataset

STACK = Path(__file__).resolve().parent / 'test' / 'stack1.mha'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('stack', type=Path, nargs='?', default=STACK, help='where to write it instead')
    stack = parser.parse_args().stack
    with tempfile.TemporaryDirectory(dir=stack.parent) as folder:
        write_challenge_dataset(folder, count=2, seed=6, compressed=True)
        os.replace(Path(folder) / STACK_NAME, stack)
    print(stack)


if __name__ == '__main__':
    run_step(main)
