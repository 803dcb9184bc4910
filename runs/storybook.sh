#!/usr/bin/env bash
# Train a model like the embedded storybook from nothing, at 128 x 128 pixels. Killed, the same command goes on.
# The shipped weights were trained in several sessions, and their networks were widened between them (its card says how; the
# scripts are in the history, under the tag weight-surgery).
# runs/storybook.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
test -d "${REGROW_HOME:-$HOME/.local/share/regrow}/models/storybook-again" || .venv/bin/regrow train --world storybook \
    --name storybook-again --for "${1:-5h}" --scenes 40000 --batch 48 --logit-normal 0.3 1.3 --threads 1
# On two idle cores: OMP_NUM_THREADS=1 .venv/bin/torchrun --nproc-per-node 2 -m regrow train ... (docs/how-to/scale.md)
.venv/bin/regrow bench storybook --model storybook-again --scenes 100
