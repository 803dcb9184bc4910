#!/usr/bin/env bash
# Grow a model like the embedded storybook from nothing, in one command. Killed, the same command goes on.
# The shipped weights were grown in two sessions of about two hours each on one core (its card tells how); this is the
# recipe that came out of them. On two idle cores start it with the second line instead.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${1:-5h}"
.venv/bin/regrow train --world storybook --name storybook-again --for "$time" --batch 48 --logit-normal 0.6 1.2 --threads 1
# OMP_NUM_THREADS=1 .venv/bin/torchrun --nproc-per-node 2 -m regrow train ... (docs/scale.md)
# A larger decoder for the same latents: about two and a half hours on one core.
model="${REGROW_HOME:-$HOME/.local/share/regrow}/models/storybook-again"
.venv/bin/python runs/grow_decoder.py "$model" runs/out/decoder 6600
cp -r runs/out/decoder/vae "$model"
