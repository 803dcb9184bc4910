"""Procedurally generated phrases on sampled instruments, with exact counterfactuals."""
