"""The faces of the operations: the same dataclasses at the command line and on the page."""
