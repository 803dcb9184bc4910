"""Procedurally generated, captioned data with exact counterfactuals."""
