#!/bin/bash
# Fine-tune on several nodes:  sbatch --nodes 2 --gpus-per-node 4 finetune.sh METHOD DATABASE RUN [OPTION...]
# RUN and the cache must lie where all nodes see them.
#SBATCH --job-name=mrviewer-finetune
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --requeue
# Ten minutes before the time is over every process is told to stop; it leaves a checkpoint.
#SBATCH --signal=TERM@600
set -euo pipefail

method=$1 database=$2 run=$3
shift 3

export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$(dirname "$run")/cache}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-4}"

# A job that was queued again goes on where it was.
resume=()
if [ -e "$run/plan.json" ]; then resume=(--resume); fi

head_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun \
    --nnodes "$SLURM_JOB_NUM_NODES" \
    --nproc-per-node "${SLURM_GPUS_ON_NODE:-1}" \
    --rdzv-id "$SLURM_JOB_ID" \
    --rdzv-backend c10d \
    --rdzv-endpoint "$head_node:29500" \
    -m mrviewer finetune --method "$method" --database "$database" --output "$run" "${resume[@]}" "$@"
