#!/usr/bin/env bash
# Predict a part of many X-rays: one task of an array a part, which goes on where it was interrupted.
#
#   sbatch --array=1-16 docs/slurm/predict.sh OUT ARCHIVE --recursive --model MODEL
#   sbatch --dependency=afterok:JOB docs/slurm/merge.sh OUT
#
# OUT gets the folders part-1-of-16 and so on; the flags are those of `cephalometric predict`. Without SLURM, PART and
# PARTS say which part it is.
#SBATCH --job-name=cephalometric-predict
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=1G
#SBATCH --requeue
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "$0: say OUT, then the X-rays and flags of cephalometric predict" >&2
    exit 2
fi
part=${SLURM_ARRAY_TASK_ID:-${PART:?say --array=1-N, or PART and PARTS}}
parts=${SLURM_ARRAY_TASK_MAX:-${PARTS:?say --array=1-N, or PART and PARTS}}
out=$1
shift
mkdir -p "$out"
exec cephalometric predict "$@" --shard "$part/$parts" --resume --workers "${SLURM_CPUS_PER_TASK:-1}" \
    --out "$out/part-$part-of-$parts"
