"""Layouts of checkpoints, a file each."""
