"""The history of results: an index, stars and boards, trash, presets and thumbnails."""
