"""Marks that several tests share."""

import pytest

# for what no database could change: once is enough
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def is_left_out(item: pytest.Item) -> bool:
    """Whether this is a test on PostgreSQL that its module does not want.

    A module whose questions hang on the database in few tests alone names those as ``ASKED_OF_POSTGRESQL``; the rest
    of it runs on SQLite only. Raises UsageError for a name that no test has.
    """
    module = getattr(item, "module", None)
    wanted: frozenset[str] | None = getattr(module, "ASKED_OF_POSTGRESQL", None)
    if wanted is None or not isinstance(item, pytest.Function):
        return False
    if unknown := {name for name in wanted if not hasattr(module, name)}:
        raise pytest.UsageError(f"{item.path}: ASKED_OF_POSTGRESQL names no test: {', '.join(sorted(unknown))}")
    spec = getattr(item, "callspec", None)
    return spec is not None and "postgresql" in spec.params.values() and item.originalname not in wanted
