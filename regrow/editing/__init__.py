"""Edit, generate, extend, interpolate, invert, replay, inspect: a request in, a result out."""
