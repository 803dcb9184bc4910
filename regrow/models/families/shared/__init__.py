"""What several families, or several files of one, have in common."""
