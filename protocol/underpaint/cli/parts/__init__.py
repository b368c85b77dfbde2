"""What pictures follow, keep and are painted by in places, as options of the command line."""
