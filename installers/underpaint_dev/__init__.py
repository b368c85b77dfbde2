"""The developers' command: what people who work on Underpaint run, under one name."""
