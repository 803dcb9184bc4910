"""Codecs between pictures or waves and latents."""
