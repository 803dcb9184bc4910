"""What a model can do, in figures that a judge who never saw the model takes: `regrow bench`."""
