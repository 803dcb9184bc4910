"""Files to tensors and back: documented ranges, no model.

A picture is `3 h w` in [-1, 1], sRGB. Notes say what a reader or writer did to a file; what cannot be done raises a
`MediaError` of one sentence.
"""
