"""The service as an operator runs it: granian behind nginx over https, PostgreSQL, Redis, a mail server."""
