"""Procedurally drawn pictures of animals, with exact counterfactuals."""
