"""What a user asks for, as frozen dataclasses that import nothing heavy."""
