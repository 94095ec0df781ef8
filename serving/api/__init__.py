"""The HTTP API: lists, neighbours of items, behaviour in, what is kept of people and its erasure."""
