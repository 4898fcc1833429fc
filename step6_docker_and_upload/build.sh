#!/usr/bin/env bash
# Build the algorithm's image, cldetection_alg_2023, from a trained model.
#
#   ./build.sh                                        the model of the newest run in work_dirs
#   ./build.sh --model MODEL ...                      another model folder or work dir; several are an ensemble
#   ./build.sh --config CONFIG --checkpoint CKPT      a checkpoint of a run that left no model folder
#
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

STAGE_OPTIONS=()
BUILD_OPTIONS=()
NEEDED_GB=12

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
  "$PYTHON" -W ignore "$HERE/stage_model.py" --work-dirs "$ROOT/work_dirs" --out "$CONTEXT/model" "${STAGE_OPTIONS[@]}"
  mkdir "$CONTEXT/constraints" "$CONTEXT/algorithm"
  cp "$ROOT/requirements.txt" "$ROOT/requirements-mmpose.txt" "$CONTEXT/constraints"
  cp "$HERE/Dockerfile" "$HERE/requirements.txt" "$HERE/requirements-no-deps.txt" "$CONTEXT"
  cp -r "$ROOT/mmpose_package/cephalometric" "$ROOT/cldetection_utils.py" "$HERE/process.py" "$CONTEXT/algorithm"
  find "$CONTEXT" -name __pycache__ -prune -exec rm -rf {} +
  # Whatever the umask: the image's user must be able to read it.
  chmod -R u+rwX,go+rX "$CONTEXT"
}

build() {
  "$ENGINE" build --platform linux/amd64 --tag "$IMAGE" "${BUILD_OPTIONS[@]}" "$CONTEXT" && return
  # Only now: with the packages of an earlier build, little space is enough.
  check_space "$(engine_folder)" "$NEEDED_GB" 'a build that installs the packages'
  die 'the image was not built, for the reason above'
}

main "$@"
