"""What the chosen views will see of the objects, before anything is painted."""
