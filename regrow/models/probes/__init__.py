"""Small networks that read attributes, notes or captions off pictures and sounds."""
