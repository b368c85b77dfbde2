"""Everything painted on this machine: what the daemon has, shown, found and used again."""
