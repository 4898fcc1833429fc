#!/usr/bin/env bash
# A browser for the tests of the report's page, where there is none and root on Debian can be given one. Elsewhere these
# tests are skipped, and say so.
set -euo pipefail

main() {
  if command -v chromedriver > /dev/null; then return; fi
  if [[ $(id -u) != 0 || ! -f /etc/debian_version ]]; then
    echo 'SKIPPED: chromium and chromedriver are not there, and only root on Debian can be given them'
    return
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends chromium chromium-driver > /dev/null
}

main "$@"
