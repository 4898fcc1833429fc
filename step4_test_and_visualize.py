#!/usr/bin/env python3
"""Step 4: score a model on the test images, and report it: report.html, tables, figures, drawings."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.commands.number_flags import number, whole_number
from cephalometric.errors import InputError
from cephalometric.files import check_place, write_json
from cephalometric.locks import locked
from cephalometric.output_folder import output_folder
from cephalometric.prediction.model_folder import find_model_folder
from cephalometric.reporting.drawing import draw_images, save_picture, show_picture
from cephalometric.reporting.report_page import PAGE, report_evaluation
from cephalometric.reporting.tables import format_table, score_rows, write_csv
from cephalometric.results.evaluation import Evaluation, write_results
from cldetection_utils import add_data_arguments, run_step

EXAMPLES = """examples:
  python step4_test_and_visualize.py --model work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320 \\
      --data-root data/cephalometric --show-dir work_dirs/pictures --out work_dirs/scores.json
  python step4_test_and_visualize.py cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py \\
      work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320/best_model_weight.pth --data-root data/cephalometric
"""
CONFIGS = ('.py', '.json', '.yaml', '.yml')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'files',
        metavar='[CONFIG] CHECKPOINT',
        nargs='*',
        help='a model as config and checkpoint, the config being that beside the checkpoint where none is given; '
        'several checkpoints are an ensemble',
    )
    parser.add_argument(
        '--model',
        nargs='+',
        metavar='FOLDER',
        help='a model folder, or the work dir of step 3; several: an ensemble',
    )
    parser.add_argument('--calibration', metavar='JSON', help='of "cephalometric calibrate", where the model has none')
    add_data_arguments(parser)
    parser.add_argument('--ann-file', help="which part of the data (default: the config's, test.json)")
    parser.add_argument('--out', metavar='JSON', help='write the scores here')
    parser.add_argument('--csv', help='the table per landmark (default: scores_per_landmark.csv beside the report)')
    parser.add_argument(
        '--report',
        metavar='DIR',
        help='where report.html goes, with its figures, tables and results.json (default: report_test in the work dir, '
        'or report_ and what the part is called; an ensemble has no default)',
    )
    parser.add_argument('--dump', metavar='JSON', help='write every prediction here too, as in results.json')
    parser.add_argument('--show-dir', help='draw ground truth and prediction of the images into this folder')
    parser.add_argument('--show', action='store_true', help='show the drawings in a window')
    parser.add_argument(
        '--wait-time',
        type=number('--wait-time', 'of seconds', zero=True),
        default=1,
        help='seconds that each window stays (default: 1)',
    )
    parser.add_argument(
        '--interval', type=whole_number('--interval', 1), default=1, help='draw every N-th image (default: 1)'
    )
    parser.add_argument(
        '--cuda_id',
        type=whole_number('--cuda_id'),
        default=0,
        help='which GPU (default: 0; the CPU where there is none)',
    )
    parser.add_argument('--cfg-options', nargs='+', action='extend', metavar='KEY=VALUE', help='as in step 3')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    args = parser.parse_args()
    is_config = bool(args.files) and Path(args.files[0]).suffix.lower() in CONFIGS
    args.config, args.checkpoints = (args.files[0], args.files[1:]) if is_config else (None, args.files)
    return args


def main() -> None:
    args = parse_args()
    # Not above: run_step says what is missing where PyTorch or MMPose is.
    from mmengine.dist import is_main_process

    from cephalometric.training.assessment import assess
    from cephalometric.training.checkpoint_models import open_model_or_checkpoints
    from cephalometric.training.run import choose_device, start_distributed

    start_distributed(args.launcher)
    device = choose_device(args.cuda_id)
    if is_main_process():
        for path in filter(None, (args.out, args.csv, args.dump)):
            check_place(path)
        for folder in filter(None, (args.report, args.show_dir)):
            with locked(folder):  # Found out before the work, whether that can be.
                pass
    work_dir = Path('.') if args.report else find_work_dir(args)
    annotation_file, image_folders = find_annotation_file(args)
    model = open_model_or_checkpoints(
        args.model, args.checkpoints, args.config, args.landmarks, args.cfg_options, args.calibration, device
    )
    labelled = load_coco(annotation_file, model.landmarks, image_folders)
    evaluation = assess(model, labelled, device)
    if evaluation is not None:  # The other processes of a distributed run have done their share.
        report(args, evaluation, annotation_file, Path(args.report or work_dir / f'report_{annotation_file.stem}'))
        if args.show or args.show_dir:
            draw(args, evaluation, labelled)


def find_work_dir(args: argparse.Namespace) -> Path:
    models = args.model or args.checkpoints
    if len(models) > 1:
        raise InputError('an ensemble has no folder of its own: say where its report goes with --report DIR')
    if args.checkpoints:
        return Path(args.checkpoints[0]).parent
    folder = find_model_folder(models[0]) if models else Path('model')
    if folder.name != 'model':
        raise InputError(f'{folder} is not in the work dir of a training: say where its report goes with --report DIR')
    return folder.parent


def find_annotation_file(args: argparse.Namespace) -> tuple[Path, list[Path]]:
    """The COCO file to test on, and where the config says that its images lie."""
    from cephalometric.training.checkpoint_models import config_beside
    from cephalometric.training.dataset_parts import dataset_configs, image_folders
    from cephalometric.training.recipe import find_data_root, load_config

    folders = []
    if args.model:
        path = find_data_root(args.data_root) / (args.ann_file or 'test.json')
    elif not args.checkpoints:
        raise InputError('say which model: --model FOLDER, or a config and a checkpoint')
    else:
        config = load_config(
            args.config or config_beside(args.checkpoints[0]), args.data_root, args.landmarks, args.cfg_options
        )
        tested = (dataset for _, dataset in dataset_configs(config, ('test',)))
        parts = list({(dataset.get('data_root'), dataset['ann_file']): dataset for dataset in tested}.values())
        if not args.ann_file and len(parts) != 1:
            raise InputError(f'{config.filename}: tests on {len(parts)} files: say which one with --ann-file')
        root = config.data_root if args.ann_file else parts[0].get('data_root') or config.data_root
        path, folders = Path(root, args.ann_file or parts[0]['ann_file']), image_folders(parts[0])
    if not path.is_file():
        raise InputError(f'{path}: no such file: say with --data-root which folder step 2 has filled')
    return path, folders


def report(args: argparse.Namespace, evaluation: Evaluation, annotation_file: Path, folder: Path) -> None:
    scores = evaluation.overall()
    rows = score_rows(evaluation.landmarks, evaluation.per_landmark(), scores)
    print(format_table(rows))
    print(f'MRE = {scores.mre_mm:.3f} ± {scores.sd_mm:.3f} mm over {len(evaluation.images)} images')
    with output_folder(folder, (), overwrite=True) as output:
        report_evaluation(evaluation, output.stage)
        output.publish(last=PAGE)
    table = Path(args.csv or folder.with_name('scores_per_landmark.csv'))
    write_csv(rows, table)
    print(f'Table:       {table}')
    if args.out:
        write_json(args.out, scores.as_metrics())
        print(f'Scores:      {args.out}')
    if args.dump:
        write_results(args.dump, evaluation)
        print(f'Predictions: {args.dump}')
    print(f'Report:      {folder / PAGE}')


def draw(args: argparse.Namespace, evaluation: Evaluation, labelled: LabelledImages) -> None:
    with output_folder(args.show_dir, (), overwrite=True) if args.show_dir else nullcontext() as output:
        order = evaluation.worst_first()[:: args.interval]
        pictures = draw_images(labelled, evaluation.landmarks, evaluation.points_px, evaluation.errors_mm, order)
        for name, picture in tqdm(pictures, desc='Drawing', unit='image', total=len(order)):
            if output:
                save_picture(picture, output.stage / name)
            if args.show:
                show_picture(name, picture, args.wait_time)
        if output:
            output.publish(last='')
            print(f'Pictures:    {args.show_dir}')


if __name__ == '__main__':
    run_step(main)
