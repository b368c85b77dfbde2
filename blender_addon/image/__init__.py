"""Images: from the settings to a request, and the result into the file."""
