"""How each kind of object looks in this version of the API."""
