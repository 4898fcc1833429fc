#!/usr/bin/env python3
"""Step 1: is this machine ready? Prints versions, the device, and one line per check with its remedy if it fails."""

import argparse
import sys
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.installation import check_installation, device, versions
from cldetection_utils import run_step

EXAMPLE = """example:
  python step1_test_mmpose.py
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--configs',
        type=Path,
        default=Path(__file__).parent / 'cldetection_configs',
        help='the folder of the configs to try (default: cldetection_configs)',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if not any(args.configs.glob('*.py')):
        raise InputError(
            f'--configs {args.configs}: no such folder, or no config (*.py) in it: name the folder of the configs'
        )
    for name, version in versions():
        print(f'{name:15} {version}')
    print(f'{"device":15} {device()}')
    failed = 0
    for check in check_installation(args.configs):
        print(f'[{"ok" if check.passed else "FAILED"}] {check.name}: {check.detail}', flush=True)
        if not check.passed:
            failed += 1
            print(f'         remedy: {check.remedy}')
    print('All checks passed.' if not failed else f'{failed} checks failed.')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    run_step(main)
