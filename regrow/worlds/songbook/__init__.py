"""The songbook: procedurally generated songs, sung by a teacher (text-to-speech) for training only."""
