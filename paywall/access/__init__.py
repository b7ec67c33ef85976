"""Journey: a content service asks about a token, fetches keys, renews."""
