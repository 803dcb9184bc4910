#!/usr/bin/env bash
# Teach the embedded model an animal that is not in its world, from 50 pictures, and show it before and after. Scenes of
# its own world are mixed in: without them it forgets the others (LOG.md). Killed, the same command goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
test -d out/bears || { rm -rf out/bears.part; .venv/bin/python runs/draw_bears.py out/bears.part 50; mv out/bears.part out/bears; }
test -d "${REGROW_HOME:-$HOME/.local/share/regrow}/models/bears" || .venv/bin/regrow train out/bears --name bears \
    --from storybook --world storybook --scenes 50 --steps 700 --batch 16 --rate 1e-3 --flat 0.3 --sample-minutes 0 \
    --threads 1
.venv/bin/python runs/compare_words.py out/bears.png storybook bears
.venv/bin/regrow bench storybook --model bears --scenes 100
