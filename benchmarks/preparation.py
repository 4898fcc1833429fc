"""How long does step 2 take and how much memory, against loading the whole stack and saving RGB images with Pillow?

The stack named is cut, or repeated, to each number of slices, uncompressed and compressed, in a temporary folder. Each
measurement is a process of its own, from its start to its end, with the stack in the page cache: wall time, processor
time (which other work on the machine disturbs less) and peak resident memory. The baseline's way is measured without
its COCO files, which take no time worth mentioning. With --before, step 2 of another checkout of the project takes its
turn between them; how many cores are used is the processor time by the wall time.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

from measured_process import measured_process

from cephalometric.xrays.mha import open_stack, write_stack

EXAMPLE = """example:
  python benchmarks/preparation.py --mha_file_path data/train_stack.mha --train_gt_path data/train-gt.json \\
      --slices 10 40 150
"""
HERE, STEP2 = Path(__file__).parents[1], 'step2_prepare_coco_dataset.py'
WHOLE_STACK = """
import sys
from pathlib import Path
import numpy as np
import SimpleITK
from PIL import Image
Path(sys.argv[2]).mkdir()
stack = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(sys.argv[1]))
for number, image in enumerate(stack, start=1):
    rows = np.flatnonzero(image.sum(axis=(1, 2)))
    columns = np.flatnonzero(image.sum(axis=(0, 2)))
    Image.fromarray(image[: rows[-1] + 1, : columns[-1] + 1]).save(Path(sys.argv[2], f'{number}.png'))
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--mha_file_path', required=True, help='a stack')
    parser.add_argument('--train_gt_path', required=True, help='its annotations')
    parser.add_argument('--landmarks', default='cldetection2023', help='their landmark set [%(default)s]')
    parser.add_argument('--slices', type=int, nargs='+', default=[10, 40], help='numbers of slices [%(default)s]')
    parser.add_argument(
        '--baseline-up-to', type=int, default=40, help="most slices to take the baseline's way with [%(default)s]"
    )
    parser.add_argument('--before', type=Path, help='another checkout of the project to compare with')
    return parser.parse_args()


def repeat_data_set(stack_path: str, annotation_path: str, folder: Path, count: int, compressed: bool) -> None:
    """Write ``count`` slices and their annotations, starting again from the first where the stack ends."""
    stack = open_stack(stack_path)
    slices = itertools.islice(itertools.chain.from_iterable(itertools.repeat(stack)), count)
    write_stack(folder / 'stack.mha', slices, count, compressed)
    points = json.loads(Path(annotation_path).read_text())['points']
    repeated = [
        entry | {'point': [*entry['point'][:2], number]}
        for number in range(1, count + 1)
        for entry in points
        if entry['point'][2] == (number - 1) % stack.count + 1
    ]
    (folder / 'gt.json').write_text(json.dumps({'points': repeated}))


def measure(command: list[str | Path], checkout: Path = HERE) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak megabytes (10^6 bytes) of a process that imports from a checkout."""
    environment = os.environ | {'PYTHONPATH': os.pathsep.join([str(checkout / 'mmpose_package'), str(checkout)])}
    return measured_process(command, environment)


def in_words(measured: tuple[float, float, float]) -> str:
    seconds, cpu_seconds, peak_mb = measured
    return f'{seconds:.1f} s ({cpu_seconds:.1f} s CPU, {cpu_seconds / seconds:.1f} cores), {peak_mb:.0f} MB'


def main() -> None:
    arguments = parse_arguments()
    print("| slices | stack | step 2 | before | times faster (CPU) | the baseline's way | times faster (CPU) |")
    print('|---:|---|---:|---:|---:|---:|---:|')
    for count, compressed in itertools.product(arguments.slices, (False, True)):
        with tempfile.TemporaryDirectory(dir=Path(arguments.mha_file_path).parent) as name:
            folder = Path(name)
            stack, annotations = folder / 'stack.mha', folder / 'gt.json'
            repeat_data_set(arguments.mha_file_path, arguments.train_gt_path, folder, count, compressed)
            flags = ['--mha_file_path', stack, '--train_gt_path', annotations, '--landmarks', arguments.landmarks]
            ours = measure([sys.executable, HERE / STEP2, *flags, '--image_save_dir', folder / 'ours' / 'images'])
            cells = [f'{count}', 'compressed' if compressed else 'uncompressed', in_words(ours), '', '']
            if arguments.before:
                step2 = [sys.executable, arguments.before / STEP2, *flags]
                old = measure([*step2, '--image_save_dir', folder / 'before' / 'images'], arguments.before)
                cells[3:] = [in_words(old), f'{old[0] / ours[0]:.1f} ({old[1] / ours[1]:.1f})']
            if count <= arguments.baseline_up_to:
                theirs = measure([sys.executable, '-c', WHOLE_STACK, stack, folder / 'theirs'])
                cells += [in_words(theirs), f'{theirs[0] / ours[0]:.1f} ({theirs[1] / ours[1]:.1f})']
            else:
                cells += ['not run', '']
            print(f'| {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    main()
