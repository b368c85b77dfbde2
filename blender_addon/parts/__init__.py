"""Objects and parts of the picture that are painted by what is their own: their words and LoRAs."""
