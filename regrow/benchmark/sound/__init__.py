"""The benchmark of sound edits: tasks with a known answer, what is measured of a result, and the table."""
