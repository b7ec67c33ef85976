"""What all applications of one test process share, because making it anew for each costs more than most tests do."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.routing import Rule

_engines: dict[str, sa.Engine] = {}
_builders: dict[tuple[object, ...], Any] = {}

_make_engine = SQLAlchemy._make_engine
_compile_builder = Rule._compile_builder


def share() -> None:
    """Lets the applications that are made from now on share compiled addresses and compiled SQL."""
    Rule._compile_builder = _known_builder
    SQLAlchemy._make_engine = _engine_with_known_sql


def _known_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """The function that builds an address: what it is compiled to depends on the rule's words alone."""
    if rule.defaults:
        return _compile_builder(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]  # type: ignore[no-any-return]


def _engine_with_known_sql(extension: SQLAlchemy, bind: str | None, options: dict[str, Any], app: Flask) -> sa.Engine:
    """An engine of its own, with its own connections, whose statements may have been compiled for another before.

    Statements are kept by dialect; a dialect learns from its first connection what the server can do.
    """
    engine = _make_engine(extension, bind, options, app)
    first = _engines.get(engine.name)
    if first is None:
        first = _engines[engine.name] = sa.create_engine(engine.url, poolclass=sa.NullPool)
        first.connect().close()
    engine.dialect = first.dialect
    engine.update_execution_options(compiled_cache=first._compiled_cache)
    return engine
