"""Worlds with a hidden truth that emit events: the place where decisions can be judged. Must not see `processors`."""
