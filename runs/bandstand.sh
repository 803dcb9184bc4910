#!/usr/bin/env bash
# The embedded sound model from nothing: codec, denoiser with words and notes, transcriber, on one core.
# Killed, the same command goes on. The shipped weights were grown from an earlier, smaller model instead
# (runs/grow_bandstand.py, 32 minutes; the denoiser, 58 minutes; runs/retell_bandstand.py and 75 minutes more): this
# recipe was not run to its end.
set -euo pipefail
cd "$(dirname "$0")/.."
model="${REGROW_HOME:-$HOME/.local/share/regrow}/models/bandstand-again"
test -d "$model" || .venv/bin/regrow train --world bandstand --name bandstand-again --scenes 12000 --for 3h \
    --logit-normal 0.3 1.2 --precision bf16 --threads 1
.venv/bin/python runs/train_probes.py transcriber bandstand "$model"
.venv/bin/regrow bench bandstand --model "$model"
