"""The maths: pure functions on tensors. No file, no checkpoint, no diffusers, no print.

    x_t = alpha_t * x0 + sigma_t * eps

All other rooms describe noise by its `Level(alpha, sigma)`. The number that a checkpoint was trained with (its label)
is known only to the checkpoint's `Schedule`.
"""
