"""What a painting follows of the scene: the rows of controls, and what they show the model."""
