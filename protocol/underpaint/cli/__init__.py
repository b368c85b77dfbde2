"""The command line `underpaint`: thin commands over the Python API."""
