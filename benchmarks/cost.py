"""What does a prediction cost with each recipe, against HRNet-W32 at 512 x 512 through MMPose's inference_topdown?

Each recipe is measured in a process of its own, with random weights, which cost as much as trained ones, on synthetic
X-rays of full size: parameters, median seconds an X-ray, and the peak of resident memory. The recipes take turns, so
that a busy moment of the machine does not fall on one of them alone; the ratios are between medians of one run.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

CONFIGS = Path(__file__).parents[1] / 'cldetection_configs'
REFERENCE = 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss'
RECIPES = (
    'cpu_hrnet-w18s_udp-1xb8-45e-256x320',
    'rtmpose-m_8xb256-420e-512x512',
    REFERENCE,
    'cpu_coarse-to-fine_1xb4-40e',
    'gpu_coarse-to-fine_1xb16-120e',
)
EXAMPLE = 'example:\n  python benchmarks/cost.py --rounds 3 --images 5 --landmarks isbi2015\n'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rounds', type=int, default=3, help='how many processes for each recipe [%(default)s]')
    parser.add_argument('--images', type=int, default=5, help='X-rays in each of them [%(default)s]')
    parser.add_argument('--landmarks', default='cldetection2023', help='the set, as in step 2 [%(default)s]')
    parser.add_argument('--measure', nargs=2, metavar=('RECIPE', 'HOW'), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(*args.measure, args.landmarks, args.images)))
        return
    jobs = [(recipe, 'predictor') for recipe in RECIPES] + [(REFERENCE, 'inference_topdown')]
    found = {job: [] for job in jobs}
    for _ in range(args.rounds):
        for job in jobs:
            found[job].append(run(*job, args.landmarks, args.images))
    print_table(found)


def run(recipe: str, how: str, landmarks: str, images: int) -> dict:
    job = ('--measure', recipe, how, '--landmarks', landmarks, '--images', str(images))
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', __file__, *job], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(recipe: str, how: str, landmarks: str, images: int) -> dict:
    from cephalometric.phantom.rendering import make_phantom
    from cephalometric.training.config import load_config

    xrays = [make_phantom(seed).image for seed in range(images)]
    parameters, predict = PREPARE[how](load_config(CONFIGS / f'{recipe}.py', landmark_set=landmarks))
    predict(xrays[0])
    seconds = []
    for xray in xrays:
        start = time.perf_counter()
        predict(xray)
        seconds.append(time.perf_counter() - start)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {'parameters': parameters, 'seconds': statistics.median(seconds), 'memory_mb': memory_mb}


def by_predictor(config: Config) -> tuple[int, Callable]:
    import tempfile

    import torch

    from cephalometric.prediction.predictor import CephalometricPredictor, build_model

    model = build_model(config)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / 'weights.pth'
        torch.save({'state_dict': model.state_dict()}, weights)
        predictor = CephalometricPredictor(config, weights)
    return count(model), predictor.predict


def by_inference_topdown(config: Config) -> tuple[int, Callable]:
    import numpy as np
    from mmpose.apis import inference_topdown

    from cephalometric.prediction.predictor import build_model

    model = build_model(config)
    model.cfg, model.dataset_meta = config, {}  # As MMPose's init_model leaves them.
    return count(model), lambda xray: inference_topdown(model, np.repeat(xray[..., None], 3, axis=2))


def count(model) -> int:
    return sum(weights.numel() for weights in model.parameters())


PREPARE = {'predictor': by_predictor, 'inference_topdown': by_inference_topdown}


def print_table(found: dict[tuple[str, str], list[dict]]) -> None:
    def median(job: tuple[str, str], name: str) -> float:
        return statistics.median(result[name] for result in found[job])

    reference = median((REFERENCE, 'inference_topdown'), 'seconds')
    print(f'{os.cpu_count()} processors')
    print('| recipe | by | million parameters | s an X-ray | times faster | peak MB |')
    print('|---|---|---:|---:|---:|---:|')
    for job in found:
        recipe, how = job
        seconds = median(job, 'seconds')
        print(
            f'| {recipe} | {how} | {median(job, "parameters") / 1e6:.1f} | {seconds:.2f} | '
            f'{reference / seconds:.1f} | {median(job, "memory_mb"):.0f} |'
        )


if __name__ == '__main__':
    main()
