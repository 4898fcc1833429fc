#!/usr/bin/env bash
# Step 6 with a real container engine, with PyTorch and without: build, test, bad inputs, kills, export, and the exported
# files again.
#
#   tests/test_container.sh --model MODEL
#
# MODEL is a model folder with ONNX graphs, or the work dir of its training; other flags of build.sh that name a model do as
# well. What the runtimes share is tried with the small image, where every start takes a second and not ten.
# It uses the engine that is there. Where there is none, root on Debian gets one for the time of the tests; elsewhere the
# tests are skipped, and so they are where the disk is too full for them. Three images, the base and the packages of both,
# stay for the next time; everything else is removed.
# PYTHON=... names the toolkit's Python.

set -euo pipefail

TESTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/container
# shellcheck source=step6_docker_and_upload/common.sh
source "$TESTS/../../step6_docker_and_upload/common.sh"
# shellcheck source=tests/container/engine.sh
source "$TESTS/engine.sh"

IMAGE=cldetection_container_test
SMALL=cldetection_container_test_onnxruntime
OWN=cldetection_container_test_own
PACKAGES=cldetection_packages
LOADED=cldetection_container_test_loaded
INVOKE=cldetection_container_test_invoke
# The most that the small one may take, unpacked and as the file to upload.
SMALL_MB=700
SMALL_FILE_MB=300
CONTAINER=cldetection_container_test_$$
RESULT=orthodontic-landmarks.json

main() {
  WORK=$(mktemp -d)
  trap clean_up EXIT
  find_python
  provide_engine
  need_space
  choose_build_options
  build_packages "$@"
  build "$@"
  look_inside "$IMAGE"
  look_inside "$SMALL"
  look_for_pytorch
  prepare
  "$HERE/test.sh" --image "$IMAGE" --image "$SMALL" --stack "$STACK" --expected "$EXPECTED"
  try_with_pytorch
  try_own_package
  IMAGE=$SMALL try_what_runtimes_share
  try_export "$SMALL"
  expect_at_most "$SMALL_FILE_MB" "$(megabytes "$(wc -c < "$WORK/CLdetection_Alg_2023.tar.gz")")" 'the exported file'
  try_export "$IMAGE"
  say "The container passed all tests in $SECONDS s."
}

# The most that the tests took of the disk, as benchmarks/RESULTS.md has it, and a little more.
need_space() {
  local folder needed=17
  if "$ENGINE" image inspect "$PACKAGES" > /dev/null 2>&1; then needed=11; fi
  folder=$(engine_folder)
  (($(free_gb "$folder") >= needed)) || skip "$folder has $(free_gb "$folder") GB left, and the tests need $needed GB"
}

# The packages alone, under names of their own, for the next time. Both runtimes share the first of them.
build_packages() {
  local runtime name before after
  for runtime in onnxruntime torch; do
    name=$PACKAGES
    if [[ $runtime != torch ]]; then name+=_$runtime; fi
    before=$("$ENGINE" images --quiet "$name")
    build_image "$name" --runtime "$runtime" "$@" --target packages
    after=$("$ENGINE" images --quiet "$name")
    # Packages of other versions have lost their name; where no image is built on them, nothing else frees their 6 GB.
    if [[ -n $before && $before != "$after" ]]; then "$ENGINE" rmi "$before" > /dev/null 2>&1 || true; fi
  done
}

# build_image NAME [OPTIONS OF build.sh] [--target STAGE]
build_image() {
  local image=$1 target=()
  shift
  if [[ $# -ge 2 && ${*: -2:1} == --target ]]; then
    target=("${@: -2}")
    set -- "${@:1:$#-2}"
  fi
  "$HERE/build.sh" --image "$image" "$@" "${BASE_OPTIONS[@]}" -- "${NETWORK_OPTIONS[@]}" "${target[@]}"
}

build() {
  build_image "$IMAGE" "$@"
  build_image "$SMALL" --runtime onnxruntime "$@"
  build_image "$INVOKE" --runtime onnxruntime --api-method invoke "$@" > "$WORK/invoke.log"
  expect_equal exec "$(label "$IMAGE")"
  expect_equal exec "$(label "$SMALL")"
  expect_equal invoke "$(label "$INVOKE")"
  expect_at_most "$SMALL_MB" "$(megabytes "$("$ENGINE" image inspect --format '{{.Size}}' "$SMALL")")" "$SMALL"
}

expect_at_most() {
  say "- $3: $2 MB, at most $1"
  (($2 <= $1)) || die "$3 has $2 MB, and at most $1 are expected"
}

label() { "$ENGINE" image inspect --format '{{index .Config.Labels "org.grand-challenge.api-method"}}' "$1"; }

# look_inside IMAGE
look_inside() {
  say "- inside $1: not root, no compiler, no caches, no test data"
  local found
  # shellcheck disable=SC2016  # for the shell in the container
  found=$("$ENGINE" run --rm --network none --entrypoint sh "$1" -c '
    [ "$(id -u)" != 0 ] || echo "user is root"
    for tool in cc gcc g++ clang; do command -v $tool; done
    find /opt /home /root /tmp \( -name "*.whl" -o -name "*.mha" -o -path "*/.cache/*" \) 2> /dev/null
    cd /opt/algorithm && find . -name "test*" -o -name __pycache__')
  expect_equal '' "$found"
}

look_for_pytorch() {
  local query='from importlib.util import find_spec; print(find_spec("torch") is not None)'
  expect_equal True "$("$ENGINE" run --rm --network none --entrypoint python3 "$IMAGE" -c "$query")"
  expect_equal False "$("$ENGINE" run --rm --network none --entrypoint python3 "$SMALL" -c "$query")"
}

prepare() {
  say '- expected result and other inputs'
  STACK=$WORK/stack1.mha
  EXPECTED=$WORK/expected_output.json
  "$PYTHON" "$HERE/make_test_stack.py" "$STACK" > /dev/null
  "$ENGINE" create --name "$CONTAINER" "$IMAGE" > /dev/null
  "$ENGINE" cp "$CONTAINER:/opt/algorithm/model" "$WORK/model" > /dev/null
  "$ENGINE" rm "$CONTAINER" > /dev/null
  "$PYTHON" -W ignore "$ROOT/step5_predict_expected_output.py" --model "$WORK/model" \
    --load_mha_path "$STACK" --save_json_path "$EXPECTED" > /dev/null
  "$PYTHON" -W ignore "$TESTS/make_cases.py" "$WORK" "$WORK/model"
  chmod -R a+rX "$WORK"
}

expect_equal() { [[ $2 == "$1" ]] || die "'$1' is expected, and it is '$2'"; }

# start INPUT [OPTIONS...]: the container with the folder inputs/INPUT and an empty /output.
start() {
  rm -rf "$WORK/output"
  mkdir -m 777 "$WORK/output"
  run_as_platform --name "$CONTAINER" --volume "$WORK/inputs/$1:/input/images/lateral-dental-x-rays:ro" \
    --volume "$WORK/output:/output:${OUTPUT_MODE:-rw}" "${@:2}" "$IMAGE"
}

remove() { "$ENGINE" rm --force "$CONTAINER" > /dev/null; }

# logged TEXT: whether the log has it. The log is read whole first: "logs | grep -q" fails under pipefail when
# grep has seen enough and the engine still writes.
logged() { [[ $("$ENGINE" logs "$CONTAINER" 2>&1) == *"$1"* ]]; }

# shellcheck disable=SC2069  # stdout is to go
stderr_of() { "$ENGINE" logs "$CONTAINER" 2>&1 > /dev/null; }

# expect_end STATUS PATTERN: how it ends; PATTERN is that of a line on stderr, '' for none.
# What the model doubts is a warning beside that line: most inputs here are noise. With status 0 there is a result,
# otherwise nothing at all in /output.
expect_end() {
  local status text other files
  status=$("$ENGINE" wait "$CONTAINER")
  text=$(stderr_of)
  other=$(grep -v '^warning: .*: slice [0-9]*: ' <<< "$text" || true)
  files=$(ls -A "$WORK/output")
  remove
  say "  status $status: ${text:-nothing on stderr}"
  expect_equal "$1" "$status"
  expect_equal "$( ((status)) || echo "$RESULT")" "$files"
  # shellcheck disable=SC2053  # patterns
  [[ $text == *$2 && ($other == $2 || -z $other && $status == 0) && $other != *$'\n'* ]] ||
    die "one line like '$2' is expected on stderr, and warnings alone beside it"
}

expect_points() {
  expect_equal "$1" "$("$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1]))["points"][-1]["point"][2])' "$WORK/output/$RESULT")"
}

# try INPUT STATUS PATTERN [OPTIONS...]
try() {
  say "- $1 ${*:4}"
  start "$1" "${@:4}"
  expect_end "$2" "$3"
}

try_what_runtimes_share() {
  try_inputs
  try_models
  try_limits
  try_kills
  try_http_after_a_failure
}

# What importing PyTorch could change: what is said, memory, and what a signal does.
try_with_pytorch() {
  try truncated 2 'error: *stack.mha: truncated*'
  try one_slice 2 'error: /opt/ml/model/weights.pth is damaged*' --volume "$WORK/models/damaged:/opt/ml/model:ro"
  try_stop
  try_too_little_memory 200m
}

try_own_package() {
  say "- a package of one's own"
  local own=$WORK/own text
  mkdir "$own"
  "$PYTHON" -W ignore "$TESTS/../own_package.py" "$own" > "$WORK/own.log" 2>&1 || die "$(tail -n 1 "$WORK/own.log")"
  if text=$(build_image "$OWN" --model "$own/own_model" 2>&1); then die 'it was built without its package'; fi
  [[ $text == *'error: the model imports own_networks '*' add --with FOLDER'* ]] || die "$text"
  if text=$(build_image "$OWN" --model "$own/own_model" --runtime onnxruntime 2>&1); then die 'it has no ONNX graph'; fi
  [[ $text == *'error: '*'own_model: '*'build it with --runtime torch'* ]] || die "$text"
  build_image "$OWN" --model "$own/own_model" --with "$own/own_networks" > "$WORK/own.log" 2>&1 || die "$(tail -n 5 "$WORK/own.log")"
  IMAGE=$OWN try one_slice 0 ''
  expect_points 1
}

try_inputs() {
  try no_file 2 'error: /input/images/lateral-dental-x-rays: exactly one .mha file*'
  try two_files 2 'error: /input/images/lateral-dental-x-rays: exactly one .mha file*a.mha, b.mha*'
  try truncated 2 'error: *stack.mha: truncated*'
  try truncated_compressed 2 'error: *stack.mha: truncated*'
  try wrong_type 2 'error: *stack.mha: wrong pixel type*MET_USHORT*'
  try blank_slice 0 'warning: *stack.mha: slice 2: it is blank*'
  expect_points 3
  try image_2d 0 ''
  expect_points 1
  try one_slice 0 ''
  expect_points 1
}

try_models() {
  local folder=$WORK/models
  try one_slice 2 'error: /opt/ml/model holds config.py*"cephalometric export*' --volume "$folder/earlier_layout:/opt/ml/model:ro"
  try one_slice 2 'error: /opt/ml/model/weights.pth is damaged*' --volume "$folder/damaged:/opt/ml/model:ro"
  try one_slice 2 'error: /opt/ml/model/a holds no model.json*' --volume "$folder/half_ensemble:/opt/ml/model:ro"
  try one_slice 0 '' --volume "$folder/empty:/opt/ml/model:ro"
  try one_slice 0 '' --volume "$folder/ensemble:/opt/ml/model:ro"
  expect_points 1
}

try_limits() {
  say '- read-only output'
  OUTPUT_MODE=ro start one_slice
  expect_end 2 'error: /output/orthodontic-landmarks.json cannot be written*'
  try one_slice 0 '' --cpuset-cpus 0
  try_too_little_memory 64m
}

# try_too_little_memory SIZE
try_too_little_memory() {
  say "- out of memory: $1"
  local text
  if text=$("$HERE/test.sh" --image "$IMAGE" --stack "$STACK" --expected "$EXPECTED" --memory "$1" 2>&1 > /dev/null); then
    die "it passed with $1"
  fi
  [[ $text == *'error: out of memory'* ]] || die "test.sh does not say that memory was short: $text"
  say "  ${text##*$'\n'}"
}

wait_until_it_predicts() {
  local until=$((SECONDS + 120))
  until logged 'Model: '; do
    ((SECONDS < until)) || die 'no model is loaded'
    sleep 0.5
  done
  sleep 5
}

try_kills() {
  say '- killed in the middle'
  start long
  wait_until_it_predicts
  "$ENGINE" kill "$CONTAINER" > /dev/null
  expect_equal 137 "$("$ENGINE" wait "$CONTAINER")"
  if [[ -e $WORK/output/$RESULT ]]; then
    "$PYTHON" -m json.tool "$WORK/output/$RESULT" > /dev/null
    say '  a whole result'
  else
    say '  no result'
  fi
  remove
  try_stop
}

try_stop() {
  say '- stopped in the middle'
  start long
  wait_until_it_predicts
  "$ENGINE" stop -t 60 "$CONTAINER" > /dev/null
  expect_end 143 ''
}

try_http_after_a_failure() {
  say '- HTTP: no input, then an input'
  mkdir "$WORK/inputs/changing"
  start changing --env API_METHOD=invoke
  wait_for_health "$CONTAINER"
  expect_equal 404 "$(http_status "$CONTAINER" GET /invoke)"
  expect_equal 500 "$(http_status "$CONTAINER" POST /invoke)"
  cp "$WORK/inputs/one_slice/stack.mha" "$WORK/inputs/changing/"
  expect_equal 201 "$(http_status "$CONTAINER" POST /invoke)"
  expect_points 1
  "$ENGINE" stop -t 60 "$CONTAINER" > /dev/null
  expect_end 0 'error: *exactly one .mha file*'
}

# try_export IMAGE: and no image is left of it.
try_export() {
  local image=$1
  say "- export $image, load under another name, test again"
  "$HERE/export.sh" --image "$image" --out "$WORK"
  "$ENGINE" rmi "$image" > /dev/null
  "$ENGINE" load --input "$WORK/CLdetection_Alg_2023.tar.gz" > /dev/null
  "$ENGINE" tag "$image" "$LOADED"
  "$ENGINE" rmi "$image" > /dev/null
  "$HERE/test.sh" --image "$LOADED" --stack "$STACK" --expected "$EXPECTED"
  say '- the exported model, mounted as the platform does'
  rm -rf "$WORK/uploaded_model"
  mkdir "$WORK/uploaded_model"
  tar -C "$WORK/uploaded_model" -xzf "$WORK/CLdetection_Alg_2023_model.tar.gz"
  IMAGE=$LOADED start one_slice --volume "$WORK/uploaded_model:/opt/ml/model:ro"
  "$ENGINE" wait "$CONTAINER" > /dev/null
  logged 'Model: /opt/ml/model' || die 'the mounted model is not used'
  expect_end 0 ''
  "$ENGINE" rmi "$LOADED" > /dev/null
}

clean_up() {
  local status=$?
  "$ENGINE" rm --force "$CONTAINER" > /dev/null 2>&1 || true
  local image
  for image in "$IMAGE" "$SMALL" "$OWN" "$LOADED" "$INVOKE"; do "$ENGINE" rmi "$image" > /dev/null 2>&1 || true; done
  stop_engine
  rm -rf "$WORK"
  exit $status
}

main "$@"
