"""Checkpoints that are not a folder in the diffusers layout: single files, and parts in separate files."""
