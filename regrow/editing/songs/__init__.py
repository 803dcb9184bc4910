"""Songs: lyrics as prompts of large models, scores as prompts of the carried singer."""
