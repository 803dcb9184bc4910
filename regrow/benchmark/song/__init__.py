"""The benchmark of singing models: held-out songs, measures of a voice, edits with a known answer, and the table."""
