"""`regrow serve --mcp`: the verbs as tools of the Model Context Protocol, for assistants on this computer."""
