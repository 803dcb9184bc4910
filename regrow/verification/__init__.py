"""Verify `core/` against the papers by closed forms and measured orders, and check checkpoints."""
