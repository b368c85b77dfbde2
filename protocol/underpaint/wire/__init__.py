"""The wire: envelope, messages, keys. SPEC.md describes it."""
