"""Text encoders from single files: their configs, told by shapes; Mistral's tokenizer; the part of
Qwen 2.5 VL that sees, from a file of its own; LoRAs of text encoders."""
