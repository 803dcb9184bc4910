"""Captioned data made by rule, with exact counterfactuals."""
