"""Sounds: files to waves and back, mels and their inverse, phase, notes."""
