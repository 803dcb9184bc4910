"""The trainer: stages, data, checkpoints; survives being killed at any moment."""
