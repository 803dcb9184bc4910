"""The error for a checkpoint that cannot be opened."""


class ModelError(ValueError):
    """A checkpoint that cannot be opened; the message is one sentence: what is wrong, where, what to do."""
