"""Models as ComfyUI has them: its folders, its files, its forms of packed weights."""
