"""Make the model that ships, isbi2015, from the benchmark's 150 training X-rays.

The recipe is trained on all of them. As nothing then says how good the model is, five folds of a cross-validation are
trained too: their scores go into the model's provenance, and the predictions of each X-ray by the model that has not
seen it into its calibration. What is finished is not done again, and an interrupted training is resumed. Six trainings
take about two hours on one core that computes in bfloat16.
"""

import argparse
import shutil
from pathlib import Path

from accuracy import CPU, folder_of, prepare, run, step

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.prediction.calibration import calibrate, save_calibration
from cephalometric.prediction.data_sets import evaluate
from cephalometric.prediction.model_folder import CALIBRATION, SHIPPED, read_description
from cephalometric.results.evaluation import Evaluation, join_evaluations, write_results
from cephalometric.training.checkpoint_models import open_model_or_checkpoints, write_checkpoint_model
from cephalometric.training.model_writing import amend_description

EXAMPLE = """example:
  python benchmarks/make_isbi2015_model.py --images isbi2015/images --annotations isbi2015/landmarks_mean.csv \\
      --out work_dirs/isbi2015
"""
RECIPE, SET, FOLDS, SEED = 'coarse-to-fine', 'isbi2015', (1, 2, 3, 4, 5), 2023
LICENCE = 'For research and teaching only, because the X-rays were given for that: see LICENSE.txt'
NOTE = 'Trained on the 150 training X-rays of ISBI 2015. What it finds must be checked by a person: see MODEL_CARD.md'
CHECKED = 3


def main() -> None:
    args = parse_args()
    data, everything, all_of_them = args.out / 'data', args.out / 'everything', args.out / 'trained_on_everything'
    if not (data / 'fold1_train.json').is_file():
        prepare(args, data)
    if not (everything / 'train.json').is_file():
        count = len(load_coco(data / 'train.json')) + len(load_coco(data / 'valid.json'))
        step('step2_prepare_coco_dataset.py', '--source', SET, '--images', args.images, '--annotations',
             *args.annotations, '--image_save_dir', everything / 'images', '--split', count, 0, 0)  # fmt: skip
    if not (all_of_them / 'best_model_weight.pth').is_file():
        step('step3_train_and_evaluation.py', CPU, '--data-root', everything, '--landmarks', SET, '--work-dir',
             all_of_them, '--seed', SEED, '--no-validation', '--resume', '--cfg-options',
             'arithmetic=bfloat16')  # fmt: skip
    for fold in FOLDS:
        run(RECIPE, fold, data, folder_of(args.out, RECIPE, fold))
    model = args.out / 'model'
    labelled = load_coco(everything / 'train.json')
    images = [read_image(labelled, image) for image in labelled.images[:CHECKED]]
    weights = all_of_them / 'best_model_weight.pth'
    write_checkpoint_model(weights, model, CPU, SET, check_on=images, compact=True)
    folds = join_evaluations([evaluate_fold(args.out, data, fold) for fold in FOLDS])
    write_results(args.out / 'out_of_fold.json', folds)
    save_calibration(calibrate(folds), model / CALIBRATION, [read_description(model).weights_id])
    scores = folds.overall().as_metrics()
    counts = {'train': len(labelled), 'cross-validation': len(folds.images)}
    amend_description(model, {'images': counts, 'seed': SEED, 'cross_validation': scores}, LICENCE, NOTE)
    args.to.mkdir(parents=True, exist_ok=True)
    for path in sorted(model.iterdir()):
        shutil.copy(path, args.to)
    print(', '.join(f'{name} {value:.3f}' for name, value in scores.items()), f'over {len(folds.images)} X-rays')
    print(f'{sum(path.stat().st_size for path in model.iterdir()) / 1e6:.1f} MB: {args.to}')


def evaluate_fold(out: Path, data: Path, fold: int) -> Evaluation:
    """The validation X-rays of a fold by the model that has not seen them."""
    weights = folder_of(out, RECIPE, fold) / 'best_model_weight.pth'
    model = open_model_or_checkpoints(None, [weights], CPU, SET, calibration=False)
    return evaluate(model, load_coco(data / f'fold{fold}_valid.json'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', required=True, type=Path, help="the benchmark's training images")
    parser.add_argument('--annotations', required=True, type=Path, nargs='+', help='as for step 2, --source isbi2015')
    parser.add_argument('--out', required=True, type=Path, help='data and trainings; give it again to resume')
    parser.add_argument('--to', type=Path, default=SHIPPED / SET, help="the model's folder [that in the package]")
    return parser.parse_args()


if __name__ == '__main__':
    main()
