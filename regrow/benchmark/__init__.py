"""Benchmarks of `regrow bench`: models measured by attribute classifiers that were trained independently."""
