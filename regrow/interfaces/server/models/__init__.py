"""Models of the server: the list and downloads."""
