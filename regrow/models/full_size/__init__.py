"""Checkpoints of pictures at their full size with random weights: what they cost does not depend on the weights."""
