"""Train a probe of an embedded model or a judge of the benchmarks, and print its accuracy on held-out things.

.venv/bin/python runs/train_probes.py describer|judge storybook|bandstand [FOLDER]
.venv/bin/python runs/train_probes.py transcriber bandstand [FOLDER]

describer     reads a model's latents, for `regrow edit --source auto`
judge         reads pictures or mels, for `regrow bench`
transcriber   reads the notes of a sound, which an edit keeps

Writes into FOLDER; by default the model's own, or runs/out/judge-WORLD for a judge, which must be copied to
regrow/benchmark/weights/ to ship it. If it is killed, the same command continues.
"""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from regrow.benchmark.judges import KINDS, WEIGHTS
from regrow.core.progress import finish
from regrow.models.codecs.mel import settings_of
from regrow.models.open import open_model
from regrow.models.probes.attributes import DESCRIBER, write_classifier
from regrow.models.probes.transcriber import write_transcriber
from regrow.training.loop import FitState
from regrow.training.probes.train_attributes import train_attributes
from regrow.training.probes.train_transcriber import train_transcriber

EVERY = 50


def main(probe: str, world: str, folder: str = "") -> None:
    checkpoints = Path("runs/out") / f"{probe}-{world}"
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    if probe == "judge":
        judge = _followed(train_attributes(KINDS[world], world, checkpoints))
        write_classifier((Path(folder) if folder else checkpoints) / WEIGHTS[world].name, judge)
        held_out = judge.facts["held_out"]
    elif probe == "describer":
        model = open_model(world)
        describer = _followed(train_attributes("latents", world, checkpoints, model=model))
        write_classifier((Path(folder) if folder else model.folder) / DESCRIBER, describer)
        held_out = describer.facts["held_out"]
    elif probe == "transcriber":
        model = open_model(folder or world)
        transcriber = _followed(train_transcriber(settings_of(model), model.size[1], checkpoints))
        write_transcriber(model.folder, transcriber)
        held_out = {"F1 of notes": transcriber.facts["held_out"]}
    else:
        sys.exit(f"{probe} is no probe: name describer, judge or transcriber.")
    for wear, shares in held_out.items():
        print(f"{wear:<12}" + "".join(f"  {name} {100 * share:.2f} %" for name, share in shares.items()))


def _followed(run: Generator[Any, None, Any]) -> Any:
    """Run a training to its end, and print the mean loss regularly."""
    losses: list[float] = []

    def follow(state: Any) -> None:
        if not isinstance(state, FitState) or state.loss is None:
            return
        losses.append(state.loss)
        if state.step % EVERY == 0:
            mean = sum(losses[-EVERY:]) / len(losses[-EVERY:])
            print(f"step {state.step} of {state.steps}: loss {mean:.4f}, {state.seconds:.0f} s", flush=True)

    return finish(run, follow)


if __name__ == "__main__":
    main(*sys.argv[1:4])
