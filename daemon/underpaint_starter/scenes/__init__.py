"""What is seen: shapes, materials, light, captions, and the samples and shards made of them."""
