"""How good are the recipes, and what does each ingredient add? Cross-validation on ISBI 2015, from scratch.

Each run is one of EXPERIMENTS on one fold: step 3 with a config that inherits from a recipe and says what differs. The
last weights are scored on the fold's validation images, which decide nothing before that. Runs that are finished are
not run again, and an interrupted one is resumed; at the end the table of all that is there is printed, and appended to
RESULTS.md with --record.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.results.evaluation import read_results
from cephalometric.scores import score_per_landmark
from cephalometric.statistics import bias_per_landmark

# Of the run in a folder, on the fold's validation images.
RESULTS = Path('report_valid', 'results.json')
ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'cldetection_configs'
CPU = CONFIGS / 'cpu_coarse-to-fine_1xb4-40e.py'
GPU = CONFIGS / 'gpu_coarse-to-fine_1xb16-120e.py'
WHOLE = CONFIGS / 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py'
BASELINE = CONFIGS / 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss.py'
EXAMPLE = """example:
  python benchmarks/accuracy.py --images isbi2015/images --annotations isbi2015/landmarks_mean.csv \\
      --out work_dirs/accuracy --run coarse-to-fine --folds 1 2 3 4 5
  python benchmarks/accuracy.py ... --run 'short: all' 'short: 0.2 mm alone' --folds 1
"""


@dataclass(frozen=True)
class Experiment:
    """A recipe and what differs from it, as the text of a config."""

    recipe: Path
    changes: str = ''


def epochs(count: int, warm_up: int = 100) -> str:
    """The same schedule in fewer epochs."""
    return f'train_cfg = dict(max_epochs={count})\nparam_scheduler = dict(LinearLR=dict(end={warm_up}))\n'


def samples(**changes: object) -> str:
    """Other patches to learn from."""
    return f'train_pipeline = dict(SampleLandmarkPatches={changes!r})\n'


def views(*pairs: tuple[float, float]) -> str:
    """Other refiners: resolution and jitter of each, in mm."""
    listed = [{'resolution_mm': resolution, 'jitter_mm': jitter} for resolution, jitter in pairs]
    return f'views = {listed!r}\n'


def without_average() -> str:
    return 'custom_hooks = dict(EMAHook=None)\n'


SHORT = epochs(16)
# One pass over the images: what a CPU core does in the time of the short run of the coarse-to-fine recipe.
IN_THE_SAME_TIME = """
train_cfg = dict(max_epochs=1)
param_scheduler = [dict(type='LinearLR', begin=0, end=5, start_factor=0.1, by_epoch=False)]
"""
# The GPU recipe in fewer steps of fewer, smaller X-rays, and the CPU recipe in as many steps. An average of weights
# would hold mostly the first ones.
FEW_STEPS = epochs(2, warm_up=10) + without_average()
REDUCED = """
codec = dict(input_size=(256, 320), heatmap_size=(64, 80))
train_dataloader = dict(batch_size=4, num_workers=1)
val_dataloader = dict(num_workers=1)
""" + views((0.6, 3.0), (0.2, 1.5))
EXPERIMENTS = {
    'coarse-to-fine': Experiment(CPU),
    'whole X-ray alone': Experiment(WHOLE),
    'short: all': Experiment(CPU, SHORT),
    'short: the baseline in the same time': Experiment(BASELINE, IN_THE_SAME_TIME),
    'short: 0.6 mm alone': Experiment(CPU, SHORT + views((0.6, 3.0))),
    'short: 0.2 mm alone': Experiment(CPU, SHORT + views((0.2, 2.0))),
    'short: 0.6, 0.4 and 0.2 mm': Experiment(CPU, SHORT + views((0.6, 3.0), (0.4, 2.0), (0.2, 1.5))),
    'short: patches teach their own landmark alone': Experiment(
        CPU, SHORT + 'model = dict(refiner=dict(head=dict(others_weight=0.0)))\n'
    ),
    'short: no turning, no scaling': Experiment(CPU, SHORT + samples(max_angle=0, max_scale=0)),
    'short: no gamma': Experiment(CPU, SHORT + samples(gamma=(1, 1))),
    'short: one in ten a negative': Experiment(CPU, SHORT + samples(invert_prob=0.1)),
    'short: no average of weights': Experiment(CPU, SHORT + without_average()),
    '60 steps: the CPU recipe': Experiment(CPU, FEW_STEPS),
    '60 steps: the GPU recipe, reduced': Experiment(GPU, FEW_STEPS + REDUCED),
}


def main() -> None:
    args = parse_args()
    data = args.out / 'data'
    if not (data / 'fold1_train.json').is_file():
        prepare(args, data)
    jobs = [(name, fold) for name in args.run for fold in args.folds]
    for name, fold in tqdm(jobs, desc='Runs', unit='run'):
        run(name, fold, data, folder_of(args.out, name, fold))
    table = '\n\n'.join([make_table(args.out), *(landmark_table(args.out, name) for name in args.landmark_table)])
    print(table)
    if args.record:
        with open(ROOT / 'benchmarks' / 'RESULTS.md', 'a', encoding='utf-8') as file:
            file.write(f'\n## Accuracy by cross-validation ({date.today()}; {machine()})\n\n{table}\n')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', required=True, type=Path, help="the benchmark's training images")
    parser.add_argument('--annotations', required=True, type=Path, nargs='+', help='as for step 2, --source isbi2015')
    parser.add_argument('--out', required=True, type=Path, help='prepared data and runs; give it again to resume')
    parser.add_argument('--run', nargs='*', default=['coarse-to-fine'], choices=EXPERIMENTS, metavar='NAME',
                        help=f'[coarse-to-fine] of {", ".join(EXPERIMENTS)}')  # fmt: skip
    parser.add_argument('--folds', nargs='*', type=int, default=[1, 2, 3, 4, 5], help='[all five]')
    parser.add_argument('--landmark-table', nargs='*', default=[], choices=EXPERIMENTS, metavar='NAME',
                        help='the scores of each landmark too, over the folds that are done')  # fmt: skip
    parser.add_argument('--record', action='store_true', help='append the table to RESULTS.md')
    return parser.parse_args()


def prepare(args: argparse.Namespace, data: Path) -> None:
    count = sum(1 for path in args.images.iterdir() if path.is_file())
    split = (count - count // 5, count // 5, 0)
    step('step2_prepare_coco_dataset.py', '--source', 'isbi2015', '--images', args.images, '--annotations',
         *args.annotations, '--image_save_dir', data / 'images', '--folds', 5, '--split', *split)  # fmt: skip


def step(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, '-W', 'ignore', ROOT / script, *map(str, arguments)], check=True)


def folder_of(out: Path, name: str, fold: int) -> Path:
    return out / name.replace(':', '').replace(' ', '_') / f'fold{fold}'


def run(name: str, fold: int, data: Path, folder: Path) -> None:
    """Train until the run is done; the time of an interrupted one is kept."""
    if (folder / RESULTS).is_file():
        return
    experiment = EXPERIMENTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'experiment.py'
    config.write_text(f'_base_ = {str(experiment.recipe)!r}\n{experiment.changes}', encoding='utf-8')
    timing = folder / 'seconds.json'
    before = json.loads(timing.read_text()) if timing.is_file() else 0
    start = time.monotonic()
    try:
        # Validated once, at the end: the validation images must not choose the weights that they score.
        step('step3_train_and_evaluation.py', config, '--data-root', data, '--landmarks', 'isbi2015',
             '--work-dir', folder, '--resume', '--cfg-options', 'train_cfg.val_interval=100000',
             f'train_dataloader.dataset.ann_file=fold{fold}_train.json',
             f'val_dataloader.dataset.ann_file=fold{fold}_valid.json')  # fmt: skip
    finally:
        timing.write_text(json.dumps(before + time.monotonic() - start))


def make_table(out: Path) -> str:
    lines = [
        '| run | folds | MRE mm | SDR 2 mm % | 2.5 | 3 | 4 | minutes a fold |',
        '|---|---:|---:|---:|---:|---:|---:|---:|',
    ]
    for name in EXPERIMENTS:
        done = finished(out, name)
        if done:
            scores = [read_results(folder / RESULTS).overall() for folder in done]
            rates = [mean_and_spread([score.sdr_percent[mm] for score in scores], 1) for mm in scores[0].sdr_percent]
            mre = mean_and_spread([score.mre_mm for score in scores], 3)
            minutes = statistics.mean(json.loads((folder / 'seconds.json').read_text()) for folder in done) / 60
            lines.append(f'| {name} | {len(done)} | {mre} | {" | ".join(rates)} | {minutes:.0f} |')
    return '\n'.join(lines)


def landmark_table(out: Path, name: str) -> str:
    """Scores and bias of each landmark, over the validation images of all folds that are done."""
    folds = [read_results(folder / RESULTS) for folder in finished(out, name)]
    if not folds:
        return f'{name}: no fold is done'
    biases = bias_per_landmark(np.concatenate([fold.differences_mm for fold in folds]))
    scores = score_per_landmark(np.concatenate([fold.errors_mm for fold in folds]))
    lines = [
        f'{name}, over {len(folds)} folds; the bias is that of the prediction, x to the right, y down, and p the '
        "probability of one as large by chance (Hotelling's test, corrected for the number of landmarks):\n",
        '| landmark | images | MRE mm | SDR 2 mm % | 2.5 | 3 | 4 | bias x, y mm | p |',
        '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ]
    for abbreviation, score, bias in zip(folds[0].landmarks.abbreviations, scores, biases, strict=True):
        rates = ' | '.join(f'{rate:.1f}' for rate in score.sdr_percent.values())
        shift = '{:+.2f}, {:+.2f}'.format(*bias.mean_mm)
        lines.append(
            f'| {abbreviation} | {score.count} | {score.mre_mm:.2f} | {rates} | {shift} | {bias.p_value:.2f} |'
        )
    return '\n'.join(lines)


def finished(out: Path, name: str) -> list[Path]:
    """The folders of the folds that are done."""
    folders = [folder_of(out, name, fold) for fold in range(1, 6)]
    return [folder for folder in folders if (folder / RESULTS).is_file()]


def mean_and_spread(values: list[float], digits: int) -> str:
    """The mean over the folds and, of several, their standard deviation."""
    mean = f'{statistics.mean(values):.{digits}f}'
    return mean if len(values) == 1 else f'{mean} ± {statistics.stdev(values):.{digits}f}'


def machine() -> str:
    return f'{os.cpu_count()} processors, {platform.machine()}'


if __name__ == '__main__':
    main()
