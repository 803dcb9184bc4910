"""Checkpoints -> models. The only room that imports diffusers and transformers, and only once a model is opened."""
