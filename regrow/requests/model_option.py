"""The model of a request: a name that a user gave, or the embedded one where none was given."""


class UnstatedModel(str):
    """The default of a field `model`: unlike the same name given by a user, another medium's model takes its place."""

    __slots__ = ()


def is_unstated(model: str) -> bool:
    """Return whether a request's model is a default, which for some is ""."""
    return not model or isinstance(model, UnstatedModel)


STORYBOOK = UnstatedModel("storybook")
"""The default of requests for both media; the embedded model of their file's medium takes its place."""
BANDSTAND = UnstatedModel("bandstand")
"""The default of requests for sounds alone; for a song, the model that sang it takes its place."""
