"""The process that never imports torch: it listens, queues, keeps, and supervises the workers."""
