"""The line to the daemon: session, runtime, what is kept for later. No bpy."""
