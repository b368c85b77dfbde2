"""Jobs from acceptance to their end: the table, the engine, what watchers are told."""
