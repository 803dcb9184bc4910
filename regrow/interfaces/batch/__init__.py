"""`regrow batch`: many jobs with one output folder, run by several processes."""
