"""Train the describer of an embedded model, for `regrow edit --source auto`, and say how often it is right.

.venv/bin/python runs/train_describer.py storybook|bandstand [FOLDER]

Writes describer.safetensors into FOLDER, the model's own if not given. Killed, the same command goes on where it was.
"""

import sys
from pathlib import Path

from regrow.models.open import open_model
from regrow.models.probes.describer import write_describer
from regrow.training.loop import FitState
from regrow.training.train_describer import train_describer


def main(world: str, folder: str = "") -> None:
    model = open_model(world)
    run = train_describer(model, world, Path("runs/out") / f"describer-{world}")
    while True:
        try:
            state = next(run)
        except StopIteration as end:
            describer = end.value
            break
        if isinstance(state, FitState) and state.loss is not None and state.step % 100 == 0:
            print(f"step {state.step} of {state.steps}: loss {state.loss:.4f}, {state.seconds:.0f} s", flush=True)
    write_describer(Path(folder) if folder else model.folder, describer)
    print(", ".join(f"{name} {100 * share:.1f} %" for name, share in describer.facts["held_out"].items()))


if __name__ == "__main__":
    main(*sys.argv[1:3])
