"""Files to tensors and back: documented ranges, no model.

A picture is `3 h w` in [-1, 1], sRGB. What a reader or a writer had to do to a file is said in notes; what it
could not do is a `MediaError` of one sentence.
"""
