"""Small files beside a model's weights that say what its own config does not."""
