"""What weights and work take of a machine's memory, and where weights are while nothing is computed with them."""
