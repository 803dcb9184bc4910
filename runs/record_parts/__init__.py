"""The parts of runs/record.py."""
