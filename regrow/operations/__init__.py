"""What a user asks for: a frozen dataclass in, a result and its recipe out."""
