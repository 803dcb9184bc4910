"""Pictures of animals drawn by rule, with exact counterfactuals."""
