"""What goes wrong when a checkpoint is opened."""


class ModelError(ValueError):
    """A checkpoint that cannot be opened; the message is one sentence: what is wrong, where, what to do."""
