"""How long does the report of many X-rays take, and how much memory?

The results are synthetic: phantoms of full size, and predictions some millimetres beside their landmarks, with expected
errors. With --before, another checkout of the project writes the same reports; the two take turns. Each measurement is
a process of its own, from its start to its end: wall time, processor time and peak resident memory.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from measured_process import measured_process

from cephalometric.annotations.coco import LabelledImage
from cephalometric.landmarks import load_landmark_set
from cephalometric.phantom.rendering import make_phantom
from cephalometric.results.evaluation import Evaluation, write_results

HERE = Path(__file__).parents[1]
EXAMPLE = """example:
  git worktree add /tmp/before d0486c9
  python benchmarks/reports.py --images 1000 --before /tmp/before
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, nargs='+', default=[100, 1000], help='how many [%(default)s]')
    parser.add_argument('--landmarks', default='cldetection2023', help='the landmark set [%(default)s]')
    parser.add_argument('--runs', type=int, nargs='+', default=[1, 2], help='runs side by side [%(default)s]')
    parser.add_argument('--rounds', type=int, default=3, help='measurements of each [%(default)s]')
    parser.add_argument('--before', type=Path, help='another checkout of the project to compare with')
    return parser.parse_args()


def write_evaluation(path: Path, count: int, landmarks: str, seed: int) -> None:
    """Write ``results.json`` of ``count`` X-rays, of which four are really on disk, and the others link to them."""
    landmark_set, random = load_landmark_set(landmarks), np.random.default_rng(seed)
    phantoms = [make_phantom(number, landmark_set=landmarks) for number in range(4)]
    images, predicted_px, expected_mm = [], [], []
    (path.parent / 'images').mkdir(exist_ok=True)
    for n in range(count):
        phantom, spacing_mm = phantoms[n % 4], (0.1, 0.125)[n % 2]
        name = f'images/{n + 1}.png'
        if n < 4:
            cv2.imwrite(str(path.parent / name), phantom.image)
        elif not (path.parent / name).exists():
            (path.parent / name).hardlink_to(path.parent / f'images/{n % 4 + 1}.png')
        height, width = phantom.image.shape[:2]
        images.append(LabelledImage(n + 1, name, width, height, spacing_mm, phantom.points_px))
        sigma_mm = random.gamma(2, 0.5, (len(landmark_set), 1))
        predicted_px.append(phantom.points_px + random.normal(0, 1, phantom.points_px.shape) * sigma_mm / spacing_mm)
        expected_mm.append(1.25 * sigma_mm[:, 0])
    evaluation = Evaluation(
        landmark_set,
        tuple(images),
        np.array(predicted_px),
        1 / (1 + np.array(expected_mm)),
        np.array(expected_mm),
        image_folder=path.parent,
    )
    write_results(path, evaluation)


def measure(checkout: Path, files: list[Path], out: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak megabytes (10^6 bytes) of ``cephalometric report``."""
    command = [sys.executable, '-m', 'cephalometric', 'report', *map(str, files), '--out', str(out), '--overwrite']
    environment = os.environ | {'PYTHONPATH': str(checkout / 'mmpose_package')}
    return measured_process(command, environment)


def medians(measured: list[tuple[float, float, float]]) -> list[float]:
    return [statistics.median(column) for column in zip(*measured, strict=True)]


def main() -> None:
    arguments = parse_arguments()
    checkouts = [HERE, *([arguments.before.resolve()] if arguments.before else [])]
    print('| images | runs | report | before | times faster (CPU) |\n|---:|---:|---:|---:|---:|')
    for count in arguments.images:
        with tempfile.TemporaryDirectory() as name:
            files = [Path(name, f'results_{n}.json') for n in range(max(arguments.runs))]
            for seed, file in enumerate(files):
                write_evaluation(file, count, arguments.landmarks, seed)
            for runs in arguments.runs:
                found = {checkout: [] for checkout in checkouts}
                for _ in range(arguments.rounds):
                    for checkout in checkouts:
                        found[checkout].append(measure(checkout, files[:runs], Path(name, 'report')))
                both = [medians(measured) for measured in found.values()]
                cells = ['{:.1f} s ({:.1f} s CPU), {:.0f} MB'.format(*one) for one in both]
                ratio = f'{both[1][0] / both[0][0]:.1f} ({both[1][1] / both[0][1]:.1f})' if len(both) > 1 else ''
                print(f'| {count} | {runs} | {" | ".join((*cells, *[""] * (2 - len(both)), ratio))} |', flush=True)


if __name__ == '__main__':
    main()
