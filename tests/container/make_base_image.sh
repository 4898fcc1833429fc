#!/usr/bin/env bash
# Make a Debian image with Python: the base of test builds where no registry of images can be reached.
#
#   ./make_base_image.sh NAME      as root, on a Debian machine with debootstrap
#
# It gets the machine's own package mirror, certificates and pip settings, so that "pip install" works in builds wherever
# it works on the machine. For that reason it is not for publishing.

set -euo pipefail

CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

main() {
  NAME=$1
  FOLDER=$(mktemp -d)
  trap 'rm -rf "$FOLDER"' EXIT
  install_debian
  copy_settings
  import
}

install_debian() {
  local codename mirror
  codename=$(sed -n s/^VERSION_CODENAME=//p /etc/os-release)
  # shellcheck disable=SC2016  # for apt-get
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$codename //p" | head -n 1)
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$codename" "$FOLDER" "$mirror" \
    > "$FOLDER.log" 2>&1 || {
    tail -n 5 "$FOLDER.log" >&2
    exit 1
  }
  rm -rf "$FOLDER.log" "$FOLDER"/var/cache/apt/archives/*.deb "$FOLDER"/var/lib/apt/lists/*
}

copy_settings() {
  cp -L "${PIP_CERT:-$CERTIFICATES}" "$FOLDER$CERTIFICATES"
  if [[ -f /etc/pip.conf ]]; then cp /etc/pip.conf "$FOLDER/etc/pip.conf"; fi
  CHANGES=(--change "ENV PIP_CERT=$CERTIFICATES")
  local name
  for name in $(compgen -e PIP_); do
    if [[ $name != PIP_CERT ]]; then CHANGES+=(--change "ENV $name=\"${!name}\""); fi
  done
}

import() {
  tar -C "$FOLDER" -c . | "${CONTAINER_ENGINE:-docker}" import "${CHANGES[@]}" - "$NAME" > /dev/null
}

main "$@"
