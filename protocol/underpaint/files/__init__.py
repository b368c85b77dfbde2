"""Files: pictures, view files, recipes and kept inputs."""
