"""What all applications of one test process share, because making it anew for each costs more than most tests do."""

import functools
import importlib.metadata
import pickle
import tomllib
from types import CodeType
from typing import Any

import flask_openapi3.openapi
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from tests.support.routing import KnownMap, known_rule

_engines: dict[str, sa.Engine] = {}

_loads = tomllib.loads
_make_engine = SQLAlchemy._make_engine
_create_jinja_environment = Flask.create_jinja_environment


def share() -> None:
    """Lets the applications made from now on share compiled addresses, pages and SQL, and what plugins are there."""
    Flask.url_rule_class = staticmethod(known_rule)
    Flask.url_map_class = KnownMap
    SQLAlchemy._make_engine = _engine_with_known_sql
    Flask.create_jinja_environment = _environment_with_known_pages
    flask_openapi3.openapi.entry_points = functools.cache(flask_openapi3.openapi.entry_points)
    importlib.metadata.version = functools.cache(importlib.metadata.version)
    tomllib.loads = _loads_again


class KnownPages(BytecodeCache):
    """What templates were compiled to: the same text, under the same name and with the same extensions."""

    def __init__(self) -> None:
        self._code: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Gives the page what was compiled before."""
        bucket.code = self._code.get(_page(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps what the page was compiled to."""
        self._code[_page(bucket)] = bucket.code


def _page(bucket: Bucket) -> tuple[object, ...]:
    environment = bucket.environment
    trimmed = environment.policies.get("ext.i18n.trimmed")
    finished = environment.finalize is not None
    return bucket.key, bucket.checksum, trimmed, finished, *sorted(environment.extensions), *sorted(environment.filters)


_pages = KnownPages()


def _environment_with_known_pages(app: Flask) -> Environment:
    environment = _create_jinja_environment(app)
    environment.bytecode_cache = environment.bytecode_cache or _pages
    return environment


@functools.lru_cache(maxsize=100)
def _packed(text: str) -> bytes:
    return pickle.dumps(_loads(text))


def _loads_again(text: str, **options: Any) -> dict[str, Any]:
    """The same text gives the same values, each time in tables of their own."""
    if options:
        return _loads(text, **options)
    return dict(pickle.loads(_packed(text)))  # noqa: S301


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
