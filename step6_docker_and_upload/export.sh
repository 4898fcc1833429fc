#!/usr/bin/env bash
# Write the files to upload: the image as CLdetection_Alg_2023.tar.gz, and its model alone as
# CLdetection_Alg_2023_model.tar.gz, which may be uploaded later without a new image.
#
#   ./export.sh
#
#   --out FOLDER    default: this folder
#   --xz            CLdetection_Alg_2023.tar.xz, which the platform takes as well: smaller, but it takes far longer
#   --image NAME    default cldetection_alg_2023
#
# CONTAINER_ENGINE=podman uses Podman.

set -euo pipefail
# shellcheck source=step6_docker_and_upload/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

OUT=$HERE
NAME=CLdetection_Alg_2023
ARCHIVE=$NAME.tar.gz
# Compared with the usual level: less than half the time, for a twentieth more bytes.
COMPRESS=(gzip -1)
CONTAINER=cldetection_export_$$

main() {
  parse_arguments "$@"
  check_engine
  check_image "$IMAGE"
  [[ -d $OUT ]] || die "$OUT is not a folder"
  local image_bytes
  image_bytes=$("$ENGINE" image inspect --format '{{.Size}}' "$IMAGE")
  check_space "$OUT" $((image_bytes / 1000000000 + 1)) 'the export'
  WORK=$(mktemp -d "$OUT/.$NAME.XXXXXX")
  trap clean_up EXIT
  pack_model
  pack_image
  mv "$WORK/$ARCHIVE" "$WORK/${NAME}_model.tar.gz" "$OUT"
  report
}

parse_arguments() {
  while (($#)); do
    case $1 in
      --out)
        need_value "$@"
        OUT=$2
        shift 2
        ;;
      --image)
        need_value "$@"
        IMAGE=$2
        shift 2
        ;;
      --xz)
        command -v xz > /dev/null || die '--xz: xz is not installed'
        ARCHIVE=$NAME.tar.xz
        COMPRESS=(xz -T0)
        shift
        ;;
      -h | --help)
        print_help
        exit
        ;;
      *) die "unknown option $1: see ./export.sh --help" ;;
    esac
  done
}

pack_image() {
  say "Saving and compressing $IMAGE, which takes minutes ..."
  "$ENGINE" save "$IMAGE" | "${COMPRESS[@]}" > "$WORK/$ARCHIVE"
  python3 "$HERE/check_archive.py" "$WORK/$ARCHIVE"
}

pack_model() {
  "$ENGINE" create --name "$CONTAINER" "$IMAGE" > /dev/null
  "$ENGINE" cp "$CONTAINER:/opt/algorithm/model" "$WORK/model" > /dev/null || die "$IMAGE holds no model: build it with ./build.sh"
  # The platform unpacks it into /opt/ml/model.
  tar -C "$WORK/model" --owner 0 --group 0 -czf "$WORK/${NAME}_model.tar.gz" .
}

report() {
  local file
  for file in "$OUT/$ARCHIVE" "$OUT/${NAME}_model.tar.gz"; do
    say "$file"
    say "  $(megabytes "$(wc -c < "$file")") MB, sha256 $(sha256sum "$file" | cut -d ' ' -f 1)"
  done
  say "Exported in $SECONDS s. Next: upload the first as a container image of the algorithm, or the second as its model"
}

clean_up() {
  "$ENGINE" rm --force "$CONTAINER" > /dev/null 2>&1 || true
  rm -rf "$WORK"
}

main "$@"
