#!/usr/bin/env python3
"""Step 5: predict every slice of a stack and write the challenge's JSON, one slice in memory at a time."""

import argparse

from cephalometric.annotations.challenge_json import write_result
from cephalometric.prediction.predictor import CephalometricPredictor, choose_device
from cephalometric.prediction.stacks import predict_stack
from cephalometric.training.config import load_config
from cephalometric.xrays.mha import open_stack
from cldetection_utils import run_step

EXAMPLE = """example:
  python step5_predict_expected_output.py \\
      --config_file cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py \\
      --load_weight_path work_dirs/cpu_hrnet-w18s_udp-1xb8-45e-256x320/best_model_weight.pth \\
      --load_mha_path step6_docker_and_upload/test/stack1.mha \\
      --save_json_path step6_docker_and_upload/test/expected_output.json
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--config_file', required=True, help='the recipe that the weights were trained with')
    parser.add_argument('--load_weight_path', required=True, help='a checkpoint, or best_model_weight.pth')
    parser.add_argument('--load_mha_path', required=True, help='the stack, .mha or .mhd')
    parser.add_argument('--save_json_path', required=True, help='the result file; its folder must exist')
    parser.add_argument(
        '--landmarks', metavar='SET', help="landmark set, by name or .json file (default: the config's)"
    )
    parser.add_argument('--cuda_id', type=int, default=0, help='which GPU (default: 0; the CPU where there is none)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    stack = open_stack(args.load_mha_path)
    config = load_config(args.config_file, landmark_set=args.landmarks)
    predictor = CephalometricPredictor(config, args.load_weight_path, choose_device(args.cuda_id))
    write_result(args.save_json_path, (prediction.points_px for prediction in predict_stack(predictor, stack)))
    print(f'{len(stack)} slices with {len(predictor.landmarks)} landmarks each: {args.save_json_path}')


if __name__ == '__main__':
    run_step(main)
