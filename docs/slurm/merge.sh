#!/usr/bin/env bash
# Join what the tasks of predict.sh have made to the results of one run, in OUT/all.
#
#   sbatch --dependency=afterok:JOB docs/slurm/merge.sh OUT
#SBATCH --job-name=cephalometric-merge
#SBATCH --cpus-per-task=1
set -euo pipefail

out=${1:?say the folder that predict.sh has filled}
exec cephalometric merge "$out"/part-*-of-* --out "$out/all"
