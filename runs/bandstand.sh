#!/usr/bin/env bash
# The embedded sound model from nothing: its codec on 3,000 played phrases, then denoiser and words on 12,000.
# Killed, the same command goes on. On two cores of an AMD EPYC it took 43 minutes and 61 minutes, one core each.
set -euo pipefail
cd "$(dirname "$0")/.."
models="${REGROW_HOME:-$HOME/.local/share/regrow}/models"
test -d "$models/bandstand-codec" || .venv/bin/regrow train --world bandstand --name bandstand-codec --stage codec \
    --scenes 3000 --for 36m --threads 1
test -d "$models/bandstand" || .venv/bin/regrow train --world bandstand --name bandstand --from bandstand-codec \
    --stage denoiser --scenes 12000 --for 61m --rate 2e-3 --ema 0.999 --logit-normal 0.3 1.2 --threads 1
.venv/bin/regrow bench bandstand --model bandstand
