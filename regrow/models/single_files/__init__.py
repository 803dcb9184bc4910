"""Checkpoints that are no folder in the diffusers layout: single files, and parts in files of their own."""
