"""The local page: `regrow serve`."""
