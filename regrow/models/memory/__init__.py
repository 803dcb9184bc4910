"""Memory for weights and computation, and where weights are kept while unused."""
