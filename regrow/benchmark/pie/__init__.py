"""PIE-Bench (Ju et al. 2023, arXiv 2310.01506): its tasks, what is measured of an edit, and the table."""
