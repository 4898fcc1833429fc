#!/usr/bin/env bash
# How good is the CPU recipe on real X-rays, trained from scratch on a CPU?
#
#   benchmarks/real_xrays.sh UNCOMPRESSED COMPRESSED OUT
#
# UNCOMPRESSED and COMPRESSED are folders with the same 150 X-rays of ISBI 2015 as train_stack.mha and train-gt.json (19
# landmarks), the pixels plain in the one and zlib-compressed in the other. Steps 2 to 5 are called as a user would, on a
# split of 100/20/30; both stacks must give the same images and COCO files. OUT receives everything.
set -euo pipefail

PYTHON=${PYTHON:-.venv/bin/python}
RECIPE=cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py

main() {
  local uncompressed=$1 compressed=$2 out=$3
  prepare "$uncompressed" "$out/uncompressed"
  prepare "$compressed" "$out/compressed"
  diff -r "$out/uncompressed" "$out/compressed" && echo 'both stacks gave the same files'

  local started=$SECONDS
  "$PYTHON" step3_train_and_evaluation.py "$RECIPE" --landmarks isbi2015 --data-root "$out/compressed" --work-dir "$out/run"
  echo "training took $((SECONDS - started)) s"
  "$PYTHON" step4_test_and_visualize.py --model "$out/run" --data-root "$out/compressed" \
    --show-dir "$out/pictures" --out "$out/scores.json"
  "$PYTHON" step5_predict_expected_output.py --model "$out/run" \
    --load_mha_path "$compressed/train_stack.mha" --save_json_path "$out/expected_output.json"
}

prepare() {
  local stack=$1 data_root=$2
  "$PYTHON" step2_prepare_coco_dataset.py --mha_file_path "$stack/train_stack.mha" --train_gt_path "$stack/train-gt.json" \
    --image_save_dir "$data_root/images" --landmarks isbi2015 --split 100 20 30
}

main "$@"
