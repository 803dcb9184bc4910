#!/usr/bin/env bash
# Grow a model like the embedded storybook from nothing, in one command. Killed, the same command goes on.
# The shipped weights were grown in several sessions on one core (its card tells how); this is the recipe that came out of
# them. On two idle cores start it with the second line instead.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${1:-5h}"
.venv/bin/regrow train --world storybook --name storybook-again --for "$time" --scenes 40000 --batch 48 \
    --logit-normal 0.3 1.3 --threads 1
# OMP_NUM_THREADS=1 .venv/bin/torchrun --nproc-per-node 2 -m regrow train ... (docs/scale.md)
# A wider uppermost level of the denoiser, which learns on for as long.
home="${REGROW_HOME:-$HOME/.local/share/regrow}/models"
[ -d runs/out/wider/unet ] || .venv/bin/python runs/widen_denoiser.py "$home/storybook-again" runs/out/wider
.venv/bin/regrow train --world storybook --name storybook-wide --from runs/out/wider --for "$time" --scenes 40000 --batch 64 \
    --logit-normal 0.3 1.3 --rate 2e-3 --threads 1
# A larger decoder for the same latents: about two and a half hours on one core.
model="$home/storybook-wide"
[ -d runs/out/decoder/vae ] || .venv/bin/python runs/grow_decoder.py "$model" runs/out/decoder 6600
cp -r runs/out/decoder/vae "$model"
# And that decoder taught to draw what the denoiser means: two hours.
[ -d runs/out/sharper/vae ] || .venv/bin/python runs/sharpen_decoder.py "$model" runs/out/sharper 5500
cp -r runs/out/sharper/vae "$model"
# One level more on both sides of the codec: 256 x 256 from the same latents. An hour and a quarter on two cores.
[ -d runs/out/larger/vae ] || .venv/bin/python runs/enlarge_codec.py "$model" runs/out/larger 2400 2
cp -r runs/out/larger/vae "$model"
