"""Marks that several tests share."""

import pytest

# for what no database could change: once is enough
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
