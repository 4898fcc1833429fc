"""Step 2: X-rays and their annotations become images and COCO files for training.

They are a stack in the challenge's form, or a folder of image files with annotations in one of the forms that --source
names.
"""

import argparse
import sys

from cephalometric.annotations.annotation import USUAL_SPACING_MM
from cephalometric.commands.number_flags import number, whole_number
from cephalometric.errors import InputError
from cephalometric.landmarks import built_in_landmark_sets, load_landmark_set
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import FORMATS, ChallengeSource, ImageFiles, Source
from cephalometric.preparation.splits import SEED
from cldetection_utils import run_step

CHALLENGE = 'challenge'
CHALLENGE_LANDMARKS = 'cldetection2023'
STACK, ANNOTATIONS = './data/train_stack.mha', './data/train-gt.json'
EXAMPLE = """examples:
  python step2_prepare_coco_dataset.py --mha_file_path ./data/train_stack.mha --train_gt_path ./data/train-gt.json \\
      --image_save_dir ./data/cephalometric/images
  python step2_prepare_coco_dataset.py --source isbi2015 --images RawImage/TrainingData \\
      --annotations AnnotationsByMD/400_senior AnnotationsByMD/400_junior --image_save_dir ./data/isbi/images
  python step2_prepare_coco_dataset.py --source labelme --images films --annotations films --spacing 0.1 \\
      --landmarks mine.json --image_save_dir ./data/mine/images
  python step2_prepare_coco_dataset.py --source aariz --images 'Aariz/*/Cephalograms/*' --annotations Aariz \\
      --split-by '^[^/]+' --image_save_dir ./data/aariz/images
  python step2_prepare_coco_dataset.py --source csv --images 'films/*/*.png' --annotations points.csv --spacing 0.1 \\
      --group '^[^/]+' --folds 5 --image_save_dir ./data/patients/images

It writes 1.png, 2.png, ... into --image_save_dir, and train.json, valid.json and test.json beside that folder. The
folder of these three, here ./data/cephalometric, is the --data-root of the steps that follow. docs/importing.md says
what the annotations look like.
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--source',
        choices=[CHALLENGE, *FORMATS],
        default=CHALLENGE,
        help='a stack in the form of CL-Detection 2023, or the form of the annotations of image files [%(default)s]',
    )
    parser.add_argument('--mha_file_path', help=f'{CHALLENGE}: the stack [{STACK}]')
    parser.add_argument('--train_gt_path', help=f'{CHALLENGE}: its annotations [{ANNOTATIONS}]')
    parser.add_argument(
        '--images', nargs='+', metavar='PATH', help='the other sources: image files, folders of them, or globs'
    )
    parser.add_argument(
        '--annotations',
        nargs='+',
        metavar='PATH',
        help='the other sources: the file or folder of the annotations; of several, such as one for each doctor, the '
        'mean is taken',
    )
    annotators = [f'{name}: {" or ".join(form.annotators)}' for name, form in FORMATS.items() if form.annotators]
    parser.add_argument(
        '--annotator',
        metavar='NAME',
        help=f'take the annotations of this person alone, not the mean of all [{"; ".join(annotators)}]',
    )
    parser.add_argument(
        '--spacing',
        type=number('--spacing', 'of mm per pixel'),
        metavar='MM',
        help='the other sources: mm per pixel, where the files do not say it; used before what they say',
    )
    parser.add_argument(
        '--ignore-folders',
        action='store_true',
        help='the other sources: match annotations and images by the names of the files alone, if folders were renamed',
    )
    parser.add_argument(
        '--unusual-spacing',
        action='store_true',
        help=f'take spacings outside {USUAL_SPACING_MM[0]:g} to {USUAL_SPACING_MM[1]:g} mm per pixel, too',
    )
    parser.add_argument(
        '--image_save_dir', default='./data/cephalometric/images', help='a new or empty folder [%(default)s]'
    )
    usual = {CHALLENGE: CHALLENGE_LANDMARKS} | {name: form.landmarks for name, form in FORMATS.items()}
    parser.add_argument(
        '--landmarks',
        metavar='NAME',
        help=f'the landmark set: {", ".join(built_in_landmark_sets())}, or a .json table of your own '
        f'[{", ".join(f"{source}: {name}" for source, name in usual.items())}]',
    )
    parser.add_argument(
        '--split',
        type=whole_number('--split'),
        nargs=3,
        metavar=('TRAIN', 'VALID', 'TEST'),
        help='how many images train, validate and test [3/4, 1/8 and 1/8 of them: 300, 50 and 50 of 400]',
    )
    parser.add_argument(
        '--seed', type=whole_number('--seed'), default=SEED, help='seed of the shuffling before the split [%(default)s]'
    )
    parser.add_argument(
        '--folds',
        type=whole_number('--folds'),
        default=0,
        metavar='K',
        help='also write fold1_train.json, fold1_valid.json, ... for cross-validation outside the test part',
    )
    parser.add_argument(
        '--group',
        nargs='+',
        metavar=('PATTERN|TABLE', 'COLUMN'),
        help='images that stay together in split and folds, such as those of a patient: a regular expression for their '
        'names, such as "patient[0-9]+", or a CSV file and one of its columns',
    )
    parser.add_argument(
        '--split-by',
        nargs='+',
        metavar=('PATTERN|TABLE', 'COLUMN'),
        help='instead of --split, the parts that the data set has: the pattern or column gives train, valid or test',
    )
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='give missing landmarks, also those at exactly (0, 0), visibility 0',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what this step wrote there before; other files stay'
    )
    arguments = parser.parse_args()
    arguments.landmarks = arguments.landmarks or usual[arguments.source]
    if arguments.split is not None and arguments.split_by is not None:
        raise InputError('--split and --split-by both say what the parts are: give one of them')
    return arguments


def source_of(arguments: argparse.Namespace) -> Source:
    of_stack = {'--mha_file_path': arguments.mha_file_path, '--train_gt_path': arguments.train_gt_path}
    of_folder = {
        '--images': arguments.images,
        '--annotations': arguments.annotations,
        '--annotator': arguments.annotator,
        '--spacing': arguments.spacing,
        '--ignore-folders': arguments.ignore_folders or None,
    }
    wrong = [
        flag for flag, value in (of_folder if arguments.source == CHALLENGE else of_stack).items() if value is not None
    ]
    if wrong:
        raise InputError(f'{wrong[0]} does not go with --source {arguments.source}: choose another --source or omit it')
    if arguments.source == CHALLENGE:
        return ChallengeSource(arguments.mha_file_path or STACK, arguments.train_gt_path or ANNOTATIONS)
    if not arguments.images or not arguments.annotations:
        raise InputError(f'--source {arguments.source} needs --images PATH and --annotations PATH')
    form = FORMATS[arguments.source]
    if arguments.annotator is not None:
        form = form.of_annotator(arguments.annotator)
    return ImageFiles(arguments.images, arguments.annotations, form, arguments.spacing, arguments.ignore_folders)


def main() -> None:
    arguments = parse_arguments()
    summary = prepare(
        source_of(arguments),
        arguments.image_save_dir,
        load_landmark_set(arguments.landmarks),
        sizes=arguments.split,
        seed=arguments.seed,
        folds=arguments.folds,
        group=arguments.group,
        split_by=arguments.split_by,
        allow_missing=arguments.allow_missing,
        unusual_spacing=arguments.unusual_spacing,
        overwrite=arguments.overwrite,
    )
    print(f'images: {summary.image_folder}')
    if summary.groups is not None:
        print(f'groups: {summary.groups}, none of them in two parts or folds')
    for path, count in summary.parts.items():
        print(f'{count:6} in {path}')
    for remark in summary.remarks:
        print(f'note: {remark}', file=sys.stderr)


if __name__ == '__main__':
    run_step(main)
