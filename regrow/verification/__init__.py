"""Proof that the maths of `core/` is what the papers say: closed forms, measured orders, and checks of a checkpoint."""
