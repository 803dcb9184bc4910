"""From pictures and waves to latents and back."""
