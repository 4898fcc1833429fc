"""``export``: a trained model as ONNX graphs."""

import argparse

DESCRIPTION = """Write a trained model as ONNX graphs with its config, its calibration and export.json, which says in
words and numbers what comes before and after the networks. The graphs are run and compared with PyTorch, on synthetic
X-rays or on those of --check; nothing is written when a landmark differs by more than 0.1 pixel. To predict with ONNX
Runtime: predict --backend onnxruntime --config OUT/config.py --checkpoint OUT/export.json. For research; not a medical
device."""
SYNTHETIC = 3


def add_export_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser('export', help='write a model as ONNX graphs', description=DESCRIPTION)
    parser.add_argument('--config', required=True, help='the recipe that the weights were trained with')
    parser.add_argument('--checkpoint', required=True, metavar='PTH', help='the weights')
    parser.add_argument('--landmarks', metavar='SET', help="landmark set, by name or .json (default: the config's)")
    parser.add_argument('--out', required=True, metavar='DIR', help='a new or empty folder; made if need be')
    parser.add_argument(
        '--check', nargs='+', metavar='INPUT', help='X-rays, folders or globs to compare on (default: synthetic ones)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Export, compare and write."""
    from cephalometric.phantom.rendering import make_phantom
    from cephalometric.prediction.export import export_predictor
    from cephalometric.training.config import load_config
    from cephalometric.xrays.reading import find_xrays, read_xrays

    config = load_config(args.config, landmark_set=args.landmarks)
    if args.check:
        xrays = [xray.image for path in find_xrays(args.check) for xray in read_xrays(path)]
    else:
        xrays = [make_phantom(seed).image for seed in range(SYNTHETIC)]
    distance_px = export_predictor(config, args.checkpoint, args.out, xrays)
    print(f'On {len(xrays)} X-rays ONNX Runtime finds the landmarks where PyTorch does, within {distance_px:.4f} pixel')
    print(f'Export: {args.out}')
