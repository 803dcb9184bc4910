"""Prompts: expansion to full captions, automatic descriptions, instructions and warnings."""
