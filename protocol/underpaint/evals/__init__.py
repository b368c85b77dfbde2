"""Measurements that need neither torch nor the daemon."""
