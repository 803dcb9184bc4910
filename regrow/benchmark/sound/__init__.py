"""The benchmark of sound edits: tasks with a known answer, measures of a result, and the table."""
