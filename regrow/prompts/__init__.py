"""Prompts: full sentences, the source found by itself, warnings."""
