"""The maths: pure functions on tensors. No file, no checkpoint, no diffusers, no print.

    x_t = alpha_t * x0 + sigma_t * eps

Every room above speaks of noise by its `Level(alpha, sigma)`; the number a checkpoint was trained with (its
label) stays with the checkpoint's `Schedule`.
"""
