#!/usr/bin/env bash
# The embedded singer from nothing: 10,000 songs sung by the teacher, then the network, on one core; then its last layer
# anew.
# Killed, the same command goes on. It needs the teacher: .venv/bin/pip install '.[songs]'
set -euo pipefail
cd "$(dirname "$0")/.."
model="${REGROW_HOME:-$HOME/.local/share/regrow}/models/songbook-again"
test -d "$model" || .venv/bin/regrow train --world songbook --name songbook-again --scenes 10000 --hold-out 64 \
    --batch 16 --precision bf16 --threads 1 --drop 0 --for 82m
test -d "$model-refitted" || .venv/bin/python runs/refit_songbook.py songbook-again songbook-again-refitted
.venv/bin/regrow bench song --model "$model-refitted"
