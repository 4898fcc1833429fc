#!/usr/bin/env bash
# Train one recipe on several machines: one torchrun on each, one process a GPU; without GPUs one process a machine.
#
#   sbatch --nodes=2 --gpus-per-node=8 docs/slurm/train.sh CONFIG --data-root DATA --work-dir WORK_DIR --resume
#
# After an interruption the same command goes on from the newest checkpoint. Without SLURM it trains on this machine;
# PROCESSES says by how many processes then.
#SBATCH --job-name=cephalometric-train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --requeue
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "$0: say CONFIG, and the flags of step 3" >&2
    exit 2
fi
# Where the project is: SLURM runs a copy of this file, from the folder in which sbatch was called.
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")/../..}"
processes=${PROCESSES:-${SLURM_GPUS_ON_NODE:-1}}
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
    where=(--nnodes="$SLURM_JOB_NUM_NODES" --rdzv-id="$SLURM_JOB_ID" --rdzv-backend=c10d --rdzv-endpoint="$first:29500")
    start=(srun)
else
    where=(--standalone)
    start=()
fi
# --nproc-per-node is given to srun's torchrun on each machine; the processes find each other at the first one.
exec "${start[@]}" torchrun "${where[@]}" --nproc-per-node="$processes" \
    step3_train_and_evaluation.py "$@" --launcher pytorch
