"""Train the transcriber of the embedded sound model, which reads off a sound the notes that an edit keeps.

.venv/bin/python runs/train_transcriber.py [FOLDER]

Writes transcriber.safetensors into FOLDER, bandstand's own if not given. Killed, the same command goes on where it was.
"""

import sys
from pathlib import Path

from regrow.models.codecs.sound_codec import settings_of
from regrow.models.open import open_model
from regrow.models.probes.transcriber import write_transcriber
from regrow.training.train_transcriber import train_transcriber


def main(folder: str = "") -> None:
    model = open_model(folder or "bandstand")
    run = train_transcriber(settings_of(model), model.size[1], Path("runs/out/transcriber"))
    while True:
        try:
            state = next(run)
        except StopIteration as end:
            transcriber = end.value
            break
        if state.loss is not None and state.step % 100 == 0:
            print(f"step {state.step} of {state.steps}: loss {state.loss:.4f}, {state.seconds:.0f} s", flush=True)
    write_transcriber(model.folder, transcriber)
    print("F1 of notes: " + ", ".join(f"{name} {f1:.3f}" for name, f1 in transcriber.facts["held_out"].items()))


if __name__ == "__main__":
    main(*sys.argv[1:2])
