"""Search as people type it: what a query means, a BM25 index kept from `items`, and the person's own order of it."""
