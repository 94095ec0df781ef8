"""The lag collector: how far behind every consumer group is, seen from outside the workers."""
