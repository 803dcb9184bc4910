"""Trainings as the server starts, watches and stops them."""
