#!/usr/bin/env bash
# Run the image as the platform does, by both of its interfaces, and compare the results with step 5's.
#
#   ./test.sh
#
#   --stack FILE       default test/stack1.mha; make_test_stack.py makes it
#   --expected FILE    default test/expected_output.json; step 5 makes it, with the model that is in the image
#                      (step5_predict_expected_output.py --model MODEL --load_mha_path STACK --save_json_path EXPECTED)
#   --image NAME       default cldetection_alg_2023; said again, each is tested, and its result compared with the first's,
#                      as of the same model with another runtime
#   --memory SIZE      default 8g, the least that the platform gives
#
# CONTAINER_ENGINE=podman uses Podman. PYTHON=... names the toolkit's Python.

set -euo pipefail
# shellcheck source=step6_docker_and_upload/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

STACK=$HERE/test/stack1.mha
EXPECTED=$HERE/test/expected_output.json
RESULT_NAME=orthodontic-landmarks.json
CONTAINER=cldetection_test_$$
GPU_OPTIONS=()
IMAGES=()

main() {
  parse_arguments "$@"
  check_engine
  ((${#IMAGES[@]})) || IMAGES=("$IMAGE")
  for IMAGE in "${IMAGES[@]}"; do check_image "$IMAGE"; done
  find_python
  [[ -f $STACK ]] || die "$STACK is not there: make it with make_test_stack.py"
  [[ -f $EXPECTED ]] || die "$EXPECTED is not there: make it with step5_predict_expected_output.py --model MODEL --load_mha_path $STACK --save_json_path $EXPECTED"
  if nvidia-smi -L > /dev/null 2>&1 && [[ $("$ENGINE" info 2> /dev/null) == *nvidia* ]]; then GPU_OPTIONS=(--gpus all); fi

  WORK=$(mktemp -d)
  trap clean_up EXIT
  mkdir -m 777 "$WORK/output"

  for IMAGE in "${IMAGES[@]}"; do try_image; done
  say "Tests successfully passed in $SECONDS s. Next: ./export.sh"
}

try_image() {
  if ((${#IMAGES[@]} > 1)); then say "$IMAGE"; fi
  say "1. Run once and exit, ${GPU_OPTIONS[*]:-without a GPU}"
  start --env API_METHOD=exec
  expect_exit 0 "$("$ENGINE" wait "$CONTAINER")"
  expect_warnings_alone
  compare_with_the_first
  check_result
  "$ENGINE" rm "$CONTAINER" > /dev/null

  say '2. HTTP: GET /health, POST /invoke twice, stop'
  start --env API_METHOD=invoke
  wait_for_health "$CONTAINER"
  invoke
  invoke
  # On a busy machine PyTorch takes longer to end than the 10 s that engines wait.
  "$ENGINE" stop -t 60 "$CONTAINER" > /dev/null
  expect_exit 0 "$("$ENGINE" wait "$CONTAINER")"
  expect_warnings_alone
  "$ENGINE" rm "$CONTAINER" > /dev/null
}

parse_arguments() {
  while (($#)); do
    case $1 in
      --stack | --expected | --image | --memory)
        need_value "$@"
        case $1 in
          --stack) STACK=$(realpath -- "$2") ;;
          --expected) EXPECTED=$(realpath -- "$2") ;;
          --image) IMAGES+=("$2") ;;
          --memory) MEMORY=$2 ;;
        esac
        shift 2
        ;;
      -h | --help)
        print_help
        exit
        ;;
      *) die "unknown option $1: see ./test.sh --help" ;;
    esac
  done
}

start() {
  # Read-only but for /tmp and /output: more than the platform asks for, so that nothing can depend on other folders.
  run_as_platform --name "$CONTAINER" "${GPU_OPTIONS[@]}" "$@" --read-only --tmpfs /tmp \
    --volume "$WORK/output:/output" --volume "$STACK:/input/images/lateral-dental-x-rays/stack1.mha:ro" "$IMAGE"
}

expect_exit() {
  (($2 == $1)) && return
  show_log "$CONTAINER"
  if [[ $("$ENGINE" inspect --format '{{.State.OOMKilled}}' "$CONTAINER") == true ]]; then
    die "out of memory: the kernel killed the container at its limit of $MEMORY"
  fi
  die "the container ended with status $2, and $1 is expected"
}

# What the model says of an X-ray that it doubts is a warning, and meant to be seen; anything else on stderr is not.
expect_warnings_alone() {
  local text other
  text=$("$ENGINE" logs "$CONTAINER" 2>&1 > /dev/null)
  other=$(grep -v '^warning: ' <<< "$text" || true)
  [[ -z $other ]] || die "the container wrote on stderr, which the platform shows as a warning: $other"
  [[ -z $text ]] || say "$text"
}

# Check what the container wrote, and make room for the next result.
check_result() {
  "$PYTHON" -W ignore "$HERE/test/compare.py" "$EXPECTED" "$WORK/output/$RESULT_NAME"
  rm -f "$WORK/output/$RESULT_NAME"
  local left
  left=$(ls -A "$WORK/output")
  [[ -z $left ]] || die "the container left more than its result in /output: $left"
}

compare_with_the_first() {
  local result=$WORK/output/$RESULT_NAME
  if [[ ! -e $WORK/first.json ]]; then
    if [[ -e $result ]]; then cp "$result" "$WORK/first.json"; fi
    return
  fi
  say "$IMAGE against ${IMAGES[0]}"
  "$PYTHON" -W ignore "$HERE/test/compare.py" "$WORK/first.json" "$result"
}

invoke() {
  local status
  status=$(http_status "$CONTAINER" POST /invoke)
  [[ $status == 201 ]] || {
    show_log "$CONTAINER"
    die "POST /invoke: $status, and 201 is expected"
  }
  check_result
}

clean_up() {
  "$ENGINE" rm --force "$CONTAINER" > /dev/null 2>&1 || true
  rm -rf "$WORK"
}

main "$@"
