"""Training by minutes: words, the guide's patterns, the last block, the decoder."""
