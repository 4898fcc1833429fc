"""How many samples a second does a worker make for each recipe, and how many does a training step take?

Each recipe is measured with 19 and 38 landmarks on synthetic X-rays of full size, in processes of their own with one
thread: the milliseconds of processor time of a sample once all X-rays are decoded, of the first pass, in which they
are, and of each transform. A step is the recipe's: forward, backward and optimizer, on the GPU where there is one; on
the CPU with --images-a-step images and the first --threads threads. With --before, another checkout of the project
makes its samples by turns with this one.
"""

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
RECIPES = (
    'cpu_coarse-to-fine_1xb4-40e',
    'gpu_coarse-to-fine_1xb16-120e',
    'cpu_hrnet-w18s_udp-1xb8-45e-256x320',
    'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss',
    'rtmpose-m_8xb256-420e-512x512',
)
SETS = ('isbi2015', 'cldetection2023')
HEADINGS = (
    *('recipe', 'landmarks', 'ms a sample', 'samples a second and worker', 'first pass, ms', 'before: ms, first pass'),
    *('times faster', 'images a second that a step takes', 'the ms go to'),
)
EXAMPLE = """example:
  git worktree add /tmp/before v0.3.0
  python benchmarks/loading.py --before /tmp/before --steps 2
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--recipes', nargs='+', default=RECIPES, help='which [all]')
    parser.add_argument('--sets', nargs='+', default=SETS, help='landmark sets [%(default)s]')
    parser.add_argument('--images', type=int, default=12, help='X-rays [%(default)s]')
    parser.add_argument('--rounds', type=int, default=3, help='processes for each [%(default)s]')
    parser.add_argument('--steps', type=int, default=0, help='training steps to measure, after one [%(default)s]')
    parser.add_argument('--images-a-step', type=int, default=4, help='at most, on a CPU [%(default)s]')
    parser.add_argument('--threads', type=int, default=1, help='of a step on a CPU [%(default)s]')
    parser.add_argument('--options', nargs='*', default=[], help='as step 3 has them: arithmetic=bfloat16')
    parser.add_argument('--before', type=Path, help='another checkout of the project to compare with')
    parser.add_argument('--measure', nargs=3, metavar=('RECIPE', 'DATA', 'WHAT'), help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare_phantoms(landmarks: str, count: int, folder: Path) -> None:
    from cephalometric.landmarks import load_landmark_set
    from cephalometric.phantom.phantom_stack import write_challenge_dataset
    from cephalometric.preparation.preparing import prepare
    from cephalometric.preparation.sources import ChallengeSource

    write_challenge_dataset(folder / 'stack', count + 2, landmark_set=landmarks)
    source = ChallengeSource(folder / 'stack' / 'train_stack.mha', folder / 'stack' / 'train-gt.json')
    prepare(source, folder / 'data' / 'images', load_landmark_set(landmarks), sizes=(count, 1, 1))


def measure_samples(recipe: str, data: Path) -> dict:
    import cv2
    import torch
    from mmpose.registry import DATASETS

    from cephalometric.annotations.coco import load_coco
    from cephalometric.training.recipe import load_config

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    landmarks = load_coco(data / 'train.json').landmark_set
    config = load_config(f'cldetection_configs/{recipe}.py', str(data), landmarks)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    spent = collections.Counter()
    for transform in dataset.pipeline.transforms:
        transform.transform = timed(transform.transform, type(transform).__name__, spent)
    passes = []
    for epoch in range(4):
        if epoch == 1:
            spent.clear()
        dataset.set_epoch(1, epoch)
        start = time.process_time()
        for index in range(len(dataset)):
            dataset[index]
        passes.append(1000 * (time.process_time() - start) / len(dataset))
    parts = {name: 1000 * seconds / 3 / len(dataset) for name, seconds in spent.items()}
    return {'first': passes[0], 'later': statistics.median(passes[1:]), 'parts': parts}


def timed(function, name: str, spent: collections.Counter):
    def wrapped(results: dict) -> dict:
        start = time.process_time()
        done = function(results)
        spent[name] += time.process_time() - start
        return done

    return wrapped


def measure_step(recipe: str, data: Path, arguments: argparse.Namespace) -> dict:
    """Images a second that a training step takes, by the median of the wall times, and how many it had."""
    import torch
    from mmengine.dataset import pseudo_collate
    from mmengine.optim import build_optim_wrapper
    from mmpose.models import build_pose_estimator
    from mmpose.registry import DATASETS

    from cephalometric.annotations.coco import load_coco
    from cephalometric.training.arithmetic import choose_arithmetic
    from cephalometric.training.recipe import load_config

    torch.set_num_threads(arguments.threads)
    landmarks = load_coco(data / 'train.json').landmark_set
    config = load_config(f'cldetection_configs/{recipe}.py', str(data), landmarks, arguments.options)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    arithmetic = choose_arithmetic(config)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    model = build_pose_estimator(config.model).to(device)
    if hasattr(model, 'set_mean_layout'):
        model.set_mean_layout(dataset.mean_layout_mm)
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    count = config.train_dataloader.batch_size
    count = count if device == 'cuda' else min(count, arguments.images_a_step)
    batch = pseudo_collate([dataset[n % len(dataset)] for n in range(count)])
    seconds = []
    for _ in range(arguments.steps + 1):
        start = time.perf_counter()
        model.train_step(batch, optimizer)
        if device == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return {'images_a_second': count / statistics.median(seconds[1:]), 'images': count, 'arithmetic': arithmetic}


def run(checkout: Path, recipe: str, data: Path, what: str, arguments: argparse.Namespace) -> dict:
    paths = os.pathsep.join([str(checkout / 'mmpose_package'), str(checkout)])
    environment = os.environ | {'PYTHONPATH': paths, 'OMP_NUM_THREADS': str(arguments.threads)}
    command = [sys.executable, '-W', 'ignore', str(Path(__file__).resolve()), '--measure', recipe, str(data), what]
    command += ['--steps', str(arguments.steps), '--images-a-step', str(arguments.images_a_step)]
    command += ['--threads', str(arguments.threads), '--options', *arguments.options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=checkout, env=environment)
    if done.returncode:
        sys.exit(f'{done.stderr}{recipe} in {checkout} ended with status {done.returncode}')
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    arguments = parse_arguments()
    if arguments.measure:
        recipe, data, what = arguments.measure
        found = (
            measure_samples(recipe, Path(data)) if what == 'samples' else measure_step(recipe, Path(data), arguments)
        )
        print(json.dumps(found))
        return
    checkouts = [HERE, *([arguments.before.resolve()] if arguments.before else [])]
    print(f'| {" | ".join(HEADINGS)} |\n|---|---|---:|---:|---:|---:|---:|---|---|')
    with tempfile.TemporaryDirectory() as name:
        for landmarks in arguments.sets:
            folder = Path(name, landmarks)
            prepare_phantoms(landmarks, arguments.images, folder)
            for recipe in arguments.recipes:
                found = {checkout: [] for checkout in checkouts}
                for _ in range(arguments.rounds):
                    for checkout in checkouts:
                        found[checkout].append(run(checkout, recipe, folder / 'data', 'samples', arguments))
                print_row(recipe, landmarks, list(found.values()), step_of(recipe, folder / 'data', arguments))


def step_of(recipe: str, data: Path, arguments: argparse.Namespace) -> str:
    if not arguments.steps:
        return 'not measured'
    step = run(HERE, recipe, data, 'step', arguments)
    return f'{step["images_a_second"]:.2f} ({step["images"]} at a time; {step["arithmetic"]})'


def print_row(recipe: str, landmarks: str, found: list[list[dict]], step: str) -> None:
    later, first = ([statistics.median(one[what] for one in side) for side in found] for what in ('later', 'first'))
    before, faster = ('', '')
    if len(found) > 1:
        before, faster = f'{later[1]:.1f}, {first[1]:.0f}', f'{later[1] / later[0]:.1f}'
    parts = ', '.join(f'{name} {ms:.1f}' for name, ms in found[0][-1]['parts'].items() if ms >= 0.5)
    ours = (f'{later[0]:.1f}', f'{1000 / later[0]:.0f}', f'{first[0]:.0f}')
    print(f'| {" | ".join((recipe, landmarks, *ours, before, faster, step, parts))} |', flush=True)


if __name__ == '__main__':
    main()
