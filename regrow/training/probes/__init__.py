"""How probes learn: attribute classifiers, and the transcriber of notes."""
