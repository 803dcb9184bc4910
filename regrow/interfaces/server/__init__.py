"""The server: an HTTP API for all verbs, and the page that uses it."""
