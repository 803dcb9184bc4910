"""The faces of the operations: the same dataclasses at the command line, and later in a page."""
