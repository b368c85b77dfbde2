"""Whether a request can be carried out as written; no torch."""
