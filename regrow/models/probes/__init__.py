"""Networks that read attributes, notes or captions from pictures and sounds, or measure distances."""
