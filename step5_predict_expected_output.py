#!/usr/bin/env python3
"""Step 5: predict every slice of a stack and write the challenge's JSON, several at once where cores are there."""

import argparse

from cephalometric.api import Model, load_model
from cephalometric.commands.number_flags import whole_number
from cephalometric.files import check_place
from cephalometric.prediction.data_sets import write_stack_prediction
from cephalometric.prediction.trained_model import best_device
from cldetection_utils import run_step

EXAMPLES = """examples:
  python step5_predict_expected_output.py --model work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320 \\
      --load_mha_path data/train_stack.mha --save_json_path expected_output.json
  python step5_predict_expected_output.py \\
      --config_file cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py \\
      --load_weight_path work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320/best_model_weight.pth \\
      --load_mha_path step6_docker_and_upload/test/stack1.mha \\
      --save_json_path step6_docker_and_upload/test/expected_output.json
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--model',
        nargs='+',
        metavar='FOLDER',
        help='a model folder, or the work dir of step 3; several: an ensemble',
    )
    parser.add_argument('--config_file', help='the recipe of the weights (default: the one beside them)')
    parser.add_argument(
        '--load_weight_path', nargs='+', default=[], help='a checkpoint, or best_model_weight.pth, instead of --model'
    )
    parser.add_argument('--load_mha_path', required=True, help='the stack, .mha or .mhd')
    parser.add_argument('--save_json_path', required=True, help='the result file; its folder must exist')
    parser.add_argument(
        '--landmarks', metavar='SET', help="landmark set, by name or .json file (default: the config's)"
    )
    parser.add_argument(
        '--cuda_id',
        type=whole_number('--cuda_id'),
        default=0,
        help='which GPU (default: 0; the CPU where there is none)',
    )
    return parser.parse_args()


def open_model(args: argparse.Namespace) -> Model:
    device = best_device(args.cuda_id)
    if args.model and not (args.load_weight_path or args.config_file or args.landmarks):
        return load_model(*args.model, device=device, threads=1)
    # Not above: a model folder needs no PyTorch.
    from cephalometric.training.checkpoint_models import open_model_or_checkpoints

    return open_model_or_checkpoints(args.model, args.load_weight_path, args.config_file, args.landmarks, device=device)


def main() -> None:
    args = parse_args()
    check_place(args.save_json_path)
    model = open_model(args)
    slices = write_stack_prediction(model, args.load_mha_path, args.save_json_path)
    print(f'{slices} slices with {len(model.landmarks)} landmarks each: {args.save_json_path}')


if __name__ == '__main__':
    run_step(main)
