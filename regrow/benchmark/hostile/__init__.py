"""Fuzzing with damaged and hostile inputs of every kind: each must be read, or refused with one clear sentence."""
