"""A server under the load of several users."""
