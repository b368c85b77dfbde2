"""The manners of our styles, drawn for their pictures in the list."""
