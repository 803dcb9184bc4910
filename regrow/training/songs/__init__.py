"""Training of models that sing scores: on the songbook, or on recordings of a voice."""
