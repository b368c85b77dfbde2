"""From denoised latents to a finished picture: decoded, sharpened."""
