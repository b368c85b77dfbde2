"""What can be said of pictures before a daemon sees them."""
