"""What a terminal reads: how options are understood, and how far a job is."""
