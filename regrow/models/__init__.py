"""Checkpoints as models. With families/ the only rooms that import diffusers and transformers."""
