# shellcheck shell=bash
# A container engine for the tests: the one that is there, or one of our own; sourced, not run.

DOCKERD=

skip() {
  say "SKIPPED: the container was not tested: $*"
  exit 0
}

provide_engine() {
  if "$ENGINE" info > /dev/null 2>&1; then return; fi
  if [[ $ENGINE != docker || $(id -u) != 0 || ! -f /etc/debian_version ]]; then
    skip "$ENGINE is not there or does not answer, and only root on Debian can be given one"
  fi
  install_engine > "$WORK/apt.log" 2>&1 || skip "docker.io and debootstrap cannot be installed: $(tail -n 1 "$WORK/apt.log")"
  start_engine
}

install_engine() {
  if command -v dockerd && command -v debootstrap; then return; fi
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends docker.io debootstrap
}

start_engine() {
  # Without networks of its own, which need more rights than a virtual machine's root may have.
  dockerd --iptables=false --ip6tables=false --bridge=none > "$WORK/dockerd.log" 2>&1 &
  DOCKERD=$!
  local until=$((SECONDS + 60))
  until docker info > /dev/null 2>&1; do
    if ! kill -0 "$DOCKERD" 2> /dev/null || ((SECONDS > until)); then
      skip "dockerd does not start: $(tail -n 1 "$WORK/dockerd.log")"
    fi
    sleep 1
  done
}

# Only the one that was started here.
stop_engine() {
  if [[ -n $DOCKERD ]]; then
    kill "$DOCKERD" 2> /dev/null || true
    wait "$DOCKERD" || true
  fi
}

# With what build.sh finds a base image and a network.
# shellcheck disable=SC2034  # used where this is sourced
choose_build_options() {
  BASE_OPTIONS=()
  NETWORK_OPTIONS=()
  local base=cldetection_debian
  if ! "$ENGINE" image inspect python:3.11-slim > /dev/null 2>&1 &&
    ! timeout 600 "$ENGINE" pull --quiet python:3.11-slim > /dev/null 2>&1; then
    "$ENGINE" image inspect "$base" > /dev/null 2>&1 || "$TESTS/make_base_image.sh" "$base"
    BASE_OPTIONS=(--base-image "$base")
  fi
  if [[ $ENGINE == docker ]] && ! docker network inspect bridge > /dev/null 2>&1; then NETWORK_OPTIONS=(--network=host); fi
}
