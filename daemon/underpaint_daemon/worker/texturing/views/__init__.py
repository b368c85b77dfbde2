"""Views that are denoised together."""
