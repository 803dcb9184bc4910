"""Phrases played by rule on sampled instruments, with exact counterfactuals."""
