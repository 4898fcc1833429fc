#!/usr/bin/env python3
"""Compare a result of the container with the expected one, and check it against the platform's schema.

Everything but the coordinates must be equal. Coordinates may differ by TOLERANCE_PX, because GPUs, CPUs and their
libraries add floating-point numbers in different orders.
"""

import argparse
from pathlib import Path

import jsonschema

from cephalometric.errors import InputError, run_step
from cephalometric.files import read_json

# Pixels of the original X-ray: 0.05 mm at the challenge's usual 0.1 mm per pixel, a fortieth of its 2 mm threshold.
TOLERANCE_PX = 0.5
SCHEMA = Path(__file__).resolve().parents[2] / 'tests' / 'result_schema.json'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('expected', type=Path, help='what step 5 wrote')
    parser.add_argument('result', type=Path, help='what the container wrote')
    return parser.parse_args()


def check_schema(path: Path, result: object) -> None:
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(read_json(SCHEMA)).iter_errors(result))
    if error:
        raise InputError(f'{path} breaks the schema of result files at {error.json_path}: {error.message[:200]}')


def largest_difference_px(expected: dict, result: dict, path: Path) -> float:
    """The largest distance of a coordinate from where it is expected.

    Raises:
        InputError: Something else than the coordinates differs.
    """
    rest, rest_expected = ({**content, 'points': None} for content in (result, expected))
    if rest != rest_expected:
        raise InputError(f'{path}: around the points there is {rest}, and {rest_expected} is expected')
    points, points_expected = result['points'], expected['points']
    if len(points) != len(points_expected):
        raise InputError(f'{path}: {len(points)} points, and {len(points_expected)} are expected')
    for number, (point, other) in enumerate(zip(points, points_expected, strict=True), start=1):
        if _without_coordinates(point) != _without_coordinates(other):
            raise InputError(f'{path}: point {number} is {point}, and {other} is expected')
    differences = (
        abs(value - other)
        for point, point_expected in zip(points, points_expected, strict=True)
        for value, other in zip(point['point'][:2], point_expected['point'][:2], strict=True)
    )
    return max(differences, default=0.0)


def _without_coordinates(point: dict) -> dict:
    return {**point, 'point': point['point'][2:]}


def main() -> None:
    args = parse_args()
    expected, result = read_json(args.expected), read_json(args.result)
    check_schema(args.expected, expected)
    check_schema(args.result, result)
    difference = largest_difference_px(expected, result, args.result)
    print(f'{len(result["points"])} points; largest difference {difference:.6f} px, {TOLERANCE_PX} px are allowed')
    if difference > TOLERANCE_PX:
        raise InputError(f'{args.result}: {difference:.3f} px from {args.expected}: was that made with the same model?')


if __name__ == '__main__':
    run_step(main)
