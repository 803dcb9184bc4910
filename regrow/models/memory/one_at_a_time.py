"""A lock that lets only one thread at a time build modules of torch."""

from threading import RLock

MAKING = RLock()
"""Held while a module is built: meanwhile accelerate patches `torch.nn.Module` for all threads, so that modules that
other threads build would get weights without storage."""
