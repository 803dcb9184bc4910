"""Editing methods, one per file. `registry` lists them without importing them."""
