"""The top of the network as a shader: what learns patterns from the guide and the words."""
