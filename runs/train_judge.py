"""Train a judge of the benchmarks and print how often it is right on things it never saw or heard.

.venv/bin/python runs/train_judge.py storybook|bandstand [FOLDER]

Copy the judge in FOLDER to regrow/benchmark/ to ship it. Killed, the same command goes on where it was.
"""

import sys
from pathlib import Path

from regrow.benchmark.judge_training import JudgeTraining, train_judge
from regrow.benchmark.sound_judge_training import SoundJudgeTraining, train_sound_judge

EVERY = 50


def main(world: str, folder: str = "") -> None:
    at = Path(folder or f"runs/out/judge-{world}")
    run = train_judge(at, JudgeTraining()) if world == "storybook" else train_sound_judge(at, SoundJudgeTraining())
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
    main(*sys.argv[1:3])
