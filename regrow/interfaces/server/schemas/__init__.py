"""Pydantic models and forms of all requests to the server, made from the request dataclasses."""
