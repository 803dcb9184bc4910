"""Project files: the whole session of a picture or a sound in one zip."""
