"""The interfaces: command line, HTTP API and page, from the same request dataclasses."""
