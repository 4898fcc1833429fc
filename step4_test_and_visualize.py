#!/usr/bin/env python3
"""Step 4: score a checkpoint on the test images, and report it: report.html, tables, figures, drawings."""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from tqdm import tqdm

from cephalometric.annotations.coco import load_coco
from cephalometric.files import write_json
from cephalometric.prediction.predictor import choose_device
from cephalometric.reporting.drawing import draw_images, save_picture, show_picture
from cephalometric.reporting.report_page import report_evaluation
from cephalometric.reporting.tables import format_table, score_rows, write_csv
from cephalometric.results.evaluation import Evaluation, write_results
from cephalometric.training.assessment import assess, with_expected_errors
from cephalometric.training.config import load_config
from cephalometric.training.run import start_distributed
from cldetection_utils import add_data_arguments, check_and_make_dir, run_step

EXAMPLE = """example:
  python step4_test_and_visualize.py cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py \\
      work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320/best_model_weight.pth \\
      --data-root data --show-dir work_dirs/pictures --out work_dirs/scores.json
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', metavar='CONFIG', help='the recipe that the checkpoint was trained with')
    parser.add_argument(
        'checkpoint',
        metavar='CHECKPOINT',
        nargs='+',
        help='a checkpoint, or best_model_weight.pth; several are an ensemble',
    )
    add_data_arguments(parser)
    parser.add_argument('--ann-file', help="which part of the data (default: the config's, test.json)")
    parser.add_argument('--out', metavar='JSON', help='write the scores here')
    parser.add_argument('--csv', help='the table per landmark (default: scores_per_landmark.csv beside the checkpoint)')
    parser.add_argument(
        '--report',
        metavar='DIR',
        help='where report.html goes, with its figures, tables and results.json (default: report_test beside the '
        'checkpoint, or report_ and what the part is called)',
    )
    parser.add_argument('--dump', metavar='JSON', help='write every prediction here too, as in results.json')
    parser.add_argument('--show-dir', help='draw ground truth and prediction of the images into this folder')
    parser.add_argument('--show', action='store_true', help='show the drawings in a window')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds that each window stays (default: 1)')
    parser.add_argument('--interval', type=int, default=1, help='draw every N-th image (default: 1)')
    parser.add_argument('--cuda_id', type=int, default=0, help='which GPU (default: 0; the CPU where there is none)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='as in step 3')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.data_root, args.landmarks, args.cfg_options)
    start_distributed(args.launcher)
    annotation_file = Path(config.data_root) / (args.ann_file or config.test_dataloader.dataset.ann_file)
    evaluation = assess(config, args.checkpoint, annotation_file, choose_device(args.cuda_id))
    if evaluation is not None:  # The other processes of a distributed run have done their share.
        evaluation = with_expected_errors(evaluation, args.checkpoint)
        report(args, evaluation, annotation_file)
        draw(args, evaluation, annotation_file)


def report(args: argparse.Namespace, evaluation: Evaluation, annotation_file: Path) -> None:
    scores = evaluation.overall()
    rows = score_rows(evaluation.landmarks, evaluation.per_landmark(), scores)
    print(format_table(rows))
    print(f'MRE = {scores.mre_mm:.3f} ± {scores.sd_mm:.3f} mm over {len(evaluation.images)} images')
    table = Path(args.csv or Path(args.checkpoint[0]).with_name('scores_per_landmark.csv'))
    write_csv(rows, table)
    print(f'Table:       {table}')
    if args.out:
        write_json(args.out, scores.as_metrics())
        print(f'Scores:      {args.out}')
    if args.dump:
        write_results(args.dump, evaluation)
        print(f'Predictions: {args.dump}')
    folder = args.report or Path(args.checkpoint[0]).with_name(f'report_{annotation_file.stem}')
    print(f'Report:      {report_evaluation(evaluation, folder)}')


def draw(args: argparse.Namespace, evaluation: Evaluation, annotation_file: Path) -> None:
    if not (args.show or args.show_dir):
        return
    if args.show_dir:
        check_and_make_dir(args.show_dir)
    order = evaluation.worst_first()[:: args.interval]
    labelled = load_coco(annotation_file)
    pictures = draw_images(labelled, evaluation.landmarks, evaluation.points_px, evaluation.errors_mm, order)
    for name, picture in tqdm(pictures, desc='Drawing', unit='image', total=len(order)):
        if args.show_dir:
            save_picture(picture, Path(args.show_dir) / name)
        if args.show:
            show_picture(name, picture, args.wait_time)
    if args.show_dir:
        print(f'Pictures:    {args.show_dir}')


if __name__ == '__main__':
    run_step(main)
