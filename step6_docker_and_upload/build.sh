#!/usr/bin/env bash
# Build the algorithm's image, cldetection_alg_2023, from a trained model.
#
#   ./build.sh                                        the model of the newest run in work_dirs
#   ./build.sh --model MODEL ...                      another model folder or work dir; several are an ensemble
#   ./build.sh --config CONFIG --checkpoint CKPT      a checkpoint of a run that left no model folder
#
#   --runtime RUNTIME       torch (default): PyTorch, for GPUs and CPUs, and for every model;
#                           onnxruntime: for CPUs, and models that have ONNX graphs: a tenth of the size;
#                           onnxruntime-gpu: for GPUs and CPUs, and models that have ONNX graphs: half the size
#   --with FOLDER           a Python package that the model's config imports: projects/example of this repository as
#                           projects.example, a folder elsewhere by its own name; may be said again
#   --requirements FILE     what that package needs besides, for pip; may be said again
#   --calibration JSON      of "cephalometric calibrate": of an ensemble, or instead of the model folder's own
#   --landmarks SET         with --checkpoint: as in training, where the config's own set was replaced
#   --api-method METHOD     exec (default): run once and exit; invoke: label the image for the HTTP interface
#   --base-image IMAGE      default python:3.11-slim; a Debian with python3 and python3-venv does as well
#   --cpu-wheels INDEX_URL  torch without CUDA from PyTorch's package index for CPUs: a smaller image, for CPUs only
#   --image NAME            default cldetection_alg_2023
#   -- OPTIONS              further options of "docker build", such as --network=host
#
# CONTAINER_ENGINE=podman uses Podman. PYTHON=... names the toolkit's Python.

set -euo pipefail
# shellcheck source=step6_docker_and_upload/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

RUNTIME=torch
STAGE_OPTIONS=()
BUILD_OPTIONS=()
FOLDERS=()
REQUIREMENTS=()

main() {
  parse_arguments "$@"
  check_engine
  find_python
  CONTEXT=$(mktemp -d)
  trap 'rm -rf "$CONTEXT"' EXIT
  stage
  build
  say "Built $IMAGE: $(megabytes "$("$ENGINE" image inspect --format '{{.Size}}' "$IMAGE")") MB in $SECONDS s. Next: ./test.sh"
}

parse_arguments() {
  while (($#)); do
    case $1 in
      --model)
        need_value "$@"
        STAGE_OPTIONS+=("$1")
        shift
        while (($#)) && [[ $1 != -* ]]; do
          STAGE_OPTIONS+=("$1")
          shift
        done
        ;;
      --runtime)
        need_value "$@"
        [[ $2 == torch || $2 == onnxruntime || $2 == onnxruntime-gpu ]] ||
          die "--runtime $2: torch, onnxruntime or onnxruntime-gpu is needed"
        RUNTIME=$2
        shift 2
        ;;
      --with)
        need_value "$@"
        FOLDERS+=("$2")
        shift 2
        ;;
      --requirements)
        need_value "$@"
        [[ -f $2 ]] || die "--requirements $2: there is no such file"
        REQUIREMENTS+=("$2")
        shift 2
        ;;
      --config | --checkpoint | --landmarks | --calibration)
        need_value "$@"
        STAGE_OPTIONS+=("$1" "$2")
        shift 2
        ;;
      --api-method)
        need_value "$@"
        [[ $2 == exec || $2 == invoke ]] || die "--api-method $2: exec or invoke is needed"
        BUILD_OPTIONS+=(--build-arg "API_METHOD=$2")
        shift 2
        ;;
      --base-image)
        need_value "$@"
        BUILD_OPTIONS+=(--build-arg "BASE_IMAGE=$2")
        shift 2
        ;;
      --cpu-wheels)
        need_value "$@"
        [[ $2 == http*://* ]] || die "--cpu-wheels $2: the address of a package index is needed"
        BUILD_OPTIONS+=(--build-arg "TORCH_INDEX=$2")
        shift 2
        ;;
      --image)
        need_value "$@"
        IMAGE=$2
        shift 2
        ;;
      --)
        shift
        BUILD_OPTIONS+=("$@")
        return
        ;;
      -h | --help)
        print_help
        exit
        ;;
      *) die "unknown option $1: see ./build.sh --help" ;;
    esac
  done
}

stage() {
  say 'Gathering what the image needs ...'
  mkdir "$CONTEXT/constraints" "$CONTEXT/packages" "$CONTEXT/algorithm"
  cp "$HERE/Dockerfile" "$CONTEXT"
  cp "$ROOT/requirements.txt" "$ROOT/requirements-mmpose.txt" "$CONTEXT/constraints"
  stage_requirements
  cp -r "$ROOT/mmpose_package/cephalometric" "$ROOT/cldetection_utils.py" "$HERE/process.py" "$CONTEXT/algorithm"
  if [[ $RUNTIME == torch ]]; then
    "$PYTHON" -W ignore "$HERE/stage_packages.py" --out "$CONTEXT/algorithm" "${FOLDERS[@]}"
  elif ((${#FOLDERS[@]})); then
    say "--with is not needed for $RUNTIME, which computes ONNX graphs: ${FOLDERS[*]} stays out of the image"
  fi
  # With what is in the image, and no other code, so that what it would lack is missed here.
  PYTHONPATH=$CONTEXT/algorithm "$PYTHON" -W ignore "$HERE/stage_model.py" --work-dirs "$ROOT/work_dirs" \
    --runtime "$RUNTIME" --out "$CONTEXT/model" "${STAGE_OPTIONS[@]}"
  find "$CONTEXT" -name __pycache__ -prune -exec rm -rf {} +
  # Whatever the umask: the image's user must be able to read it.
  chmod -R u+rwX,go+rX "$CONTEXT"
}

# One file for each layer of packages; those that the runtime does not need stay empty.
stage_requirements() {
  local packages=$CONTEXT/packages
  touch "$packages"/{torch,mmpose,mmpose-no-deps,own}.txt
  cp "$HERE/packages/common.txt" "$packages"
  if [[ $RUNTIME == torch ]]; then
    cp "$HERE"/packages/{torch,mmpose,mmpose-no-deps}.txt "$packages"
    cp "$HERE/packages/onnxruntime.txt" "$packages/runtime.txt"
  else
    cp "$HERE/packages/$RUNTIME.txt" "$packages/runtime.txt"
  fi
  if ((${#REQUIREMENTS[@]})); then awk 1 "${REQUIREMENTS[@]}" > "$packages/own.txt"; fi
}

build() {
  "$ENGINE" build --platform linux/amd64 --tag "$IMAGE" "${BUILD_OPTIONS[@]}" "$CONTEXT" && return
  # Only now: with the packages of an earlier build, little space is enough.
  local -A needed_gb=([torch]=12 [onnxruntime]=2 [onnxruntime-gpu]=6)
  check_space "$(engine_folder)" "${needed_gb[$RUNTIME]}" 'a build that installs the packages'
  die 'the image was not built, for the reason above'
}

main "$@"
