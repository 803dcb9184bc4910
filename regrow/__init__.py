"""regrow: rewind a picture or a sound to noise along a diffusion model's own path, and let it grow back."""

__version__ = "0.1.0"
