"""Train the judge of `regrow bench sound` and print how often it is right on phrases it never heard.

.venv/bin/python runs/train_sound_judge.py [FOLDER] [SECONDS]

Copy FOLDER/sound_judge.safetensors to regrow/benchmark/ to ship it. Killed, the same command goes on where it was.
"""

import sys
from dataclasses import replace
from pathlib import Path

from regrow.benchmark.sound_judge_training import SoundJudgeTraining, train_sound_judge

EVERY = 50


def main(folder: str = "runs/out/sound_judge", seconds: float = SoundJudgeTraining.seconds) -> None:
    run = train_sound_judge(Path(folder), replace(SoundJudgeTraining(), seconds=seconds))
    losses = []
    while True:
        try:
            state = next(run)
        except StopIteration as end:
            judge = end.value
            break
        losses += [] if state.loss is None else [state.loss]
        if state.step % EVERY == 0:
            mean = sum(losses[-EVERY:]) / max(1, len(losses[-EVERY:]))
            print(f"step {state.step} of {state.steps}: loss {mean:.4f}, {state.seconds:.0f} s", flush=True)
    for wear, found in judge.facts["held_out"].items():
        print(f"{wear:<10}" + "".join(f"  {name} {100 * share:.2f}" for name, share in found.items()))


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(float, sys.argv[2:3]))
