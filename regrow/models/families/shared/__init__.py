"""Code that several families, or several files of one family, share."""
