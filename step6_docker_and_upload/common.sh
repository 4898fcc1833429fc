# shellcheck shell=bash
# What build.sh, test.sh and export.sh share; sourced, not run.

ENGINE=${CONTAINER_ENGINE:-docker}
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname -- "$HERE")
# shellcheck disable=SC2034  # used where this is sourced
IMAGE=cldetection_alg_2023
MEMORY=8g
export DOCKER_CLI_HINTS=false
export PYTHONPATH=$ROOT/mmpose_package:$ROOT${PYTHONPATH:+:$PYTHONPATH}

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

print_help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

need_value() { [[ $# -ge 2 ]] || die "$1 needs a value"; }

check_engine() {
  command -v "$ENGINE" > /dev/null || die "$ENGINE is not installed: install Docker Engine or Podman (CONTAINER_ENGINE=podman)"
  "$ENGINE" info > /dev/null 2>&1 || die "$ENGINE does not answer: start its daemon, or ask to be allowed to use it ($ENGINE info)"
}

check_image() {
  "$ENGINE" image inspect "$1" > /dev/null 2>&1 || die "there is no image $1: build it with ./build.sh"
}

# The toolkit's Python: PYTHON, then the environment that "make env" made, then python3.
find_python() {
  PYTHON=${PYTHON:-$ROOT/.venv/bin/python}
  command -v "$PYTHON" > /dev/null || PYTHON=python3
  "$PYTHON" -c 'import cephalometric.api, jsonschema' > /dev/null 2>&1 ||
    die "$PYTHON lacks packages of the toolkit: install it (make env), or say PYTHON=/its/environment/bin/python"
}

# Where the engine keeps its images.
engine_folder() {
  local folder
  folder=$("$ENGINE" info --format '{{.DockerRootDir}}' 2> /dev/null || "$ENGINE" info --format '{{.Store.GraphRoot}}')
  # An engine on another machine, as Docker Desktop has it, keeps its files where we cannot look.
  [[ -d $folder ]] && echo "$folder" || echo /
}

# free_gb FOLDER
free_gb() { df -Pk "$1" | awk 'NR == 2 { print int($4 * 1024 / 1000000000) }'; }

# check_space FOLDER GIGABYTES PURPOSE
check_space() {
  local free
  free=$(free_gb "$1")
  ((free >= $2)) || die "$1 has $free GB left, and $3 needs $2 GB: make room"
}

megabytes() { echo $((($1 + 500000) / 1000000)); }

# run_as_platform OPTIONS... : start a container under the platform's limits, detached.
run_as_platform() {
  "$ENGINE" run --detach --platform linux/amd64 --network none --memory "$MEMORY" --memory-swap "$MEMORY" --cap-drop ALL \
    --security-opt no-new-privileges --shm-size 128m --pids-limit 256 "$@" > /dev/null
}

# http_status CONTAINER METHOD PATH: from inside, because nothing outside reaches a container without a network.
http_status() {
  "$ENGINE" exec "$1" python3 -c '
import sys, urllib.request, urllib.error
request = urllib.request.Request("http://127.0.0.1:4743" + sys.argv[2], method=sys.argv[1])
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print("no answer")' "$2" "$3" 2> /dev/null || echo 'no container'
}

# wait_for_health CONTAINER
wait_for_health() {
  local until=$((SECONDS + 300)) status
  while status=$(http_status "$1" GET /health) && [[ $status != 200 ]]; do
    if [[ $status != 'no answer' ]] || ((SECONDS > until)); then
      show_log "$1"
      die "GET /health: $status, and 200 is expected"
    fi
    sleep 1
  done
}

show_log() { "$ENGINE" logs "$1" 2>&1 | tail -n 20 >&2; }
