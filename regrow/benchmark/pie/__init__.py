"""PIE-Bench (Ju et al. 2023, arXiv 2310.01506): tasks, measures of an edit, and the table."""
