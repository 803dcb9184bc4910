"""Families of checkpoints, one file for each layout."""
