"""One button: what makes the daemon's environment. `outside/` runs in a process of its own."""
