"""Checkpoints as models. Only this room imports diffusers and transformers, besides three files of `benchmark/`."""
