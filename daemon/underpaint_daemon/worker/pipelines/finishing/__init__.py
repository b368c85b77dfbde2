"""From denoised latents to a finished picture: decoded, smoothed, sharpened, drawn again."""
