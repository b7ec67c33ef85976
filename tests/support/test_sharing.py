"""What applications share is shared indeed, with these versions of the libraries, and nothing else is.

The sharing replaces parts that those libraries keep to themselves: with a new version it may no longer take hold.
"""

from collections.abc import Callable

import flask_openapi3.openapi
import pytest
from flask import Flask, render_template
from flask_openapi3.openapi import OpenAPI
from jinja2 import DictLoader
from sqlalchemy import event
from werkzeug.routing import Rule

from paywall.storage.database import db
from paywall.storage.models import Reader

Making = Callable[..., OpenAPI]


@pytest.fixture
def two(make_app: Making) -> tuple[OpenAPI, OpenAPI]:
    """Two applications on one database, each with its settings."""
    return make_app(), make_app(web={"base_url": "https://other.test"})


def rules(app: Flask) -> dict[str, Rule]:
    return {f"{rule.endpoint} {rule.rule}": rule for rule in app.url_map.iter_rules() if not rule.defaults}


def test_addresses_are_compiled_once(two: tuple[OpenAPI, OpenAPI]) -> None:
    first, second = map(rules, two)
    assert len(first) > 20
    for name, rule in first.items():
        for built in ("_build", "_build_unknown"):
            assert getattr(rule, built).__func__ is getattr(second[name], built).__func__
            assert getattr(rule, built).__self__ is rule


def test_an_address_is_built_from_its_own_words() -> None:
    """Also where two applications name different addresses alike, or give a part of it another shape."""
    built = []
    for rule in ("/paper/<int:number>", "/paper/<number>", "/news/<path:number>", "/paper/<int:number>"):
        app = Flask("words")
        app.add_url_rule(rule, "page", str)
        with app.test_request_context():
            built.append(app.url_for("page", number="7", more="a b"))
    assert built == ["/paper/7?more=a+b", "/paper/7?more=a+b", "/news/7?more=a+b", "/paper/7?more=a+b"]


def test_pages_are_compiled_once(two: tuple[OpenAPI, OpenAPI]) -> None:
    first, second = (app.jinja_env.get_template("base.html") for app in two)
    assert first is not second
    assert first.root_render_func.__code__ is second.root_render_func.__code__


def test_a_page_is_compiled_for_the_extensions_that_it_has() -> None:
    said = []
    for trimmed in (True, False):
        app = Flask("pages")
        app.jinja_loader = DictLoader({"page": "{% trans %}one\n  line{% endtrans %}"})
        app.jinja_env.add_extension("jinja2.ext.i18n")
        app.jinja_env.policies["ext.i18n.trimmed"] = trimmed
        app.jinja_env.install_null_translations()
        with app.test_request_context():
            said.append(render_template("page"))
    assert said == ["one line", "one\n  line"]


def test_installed_plugins_are_looked_for_once() -> None:
    found = flask_openapi3.openapi.entry_points(group="flask_openapi3.plugins")
    assert found is flask_openapi3.openapi.entry_points(group="flask_openapi3.plugins")
    assert [one.name for one in found]


def test_statements_are_compiled_once(two: tuple[OpenAPI, OpenAPI]) -> None:
    hits = []
    for app in two:
        with app.app_context():
            engine = db.engine
            event.listen(
                engine,
                "after_cursor_execute",
                lambda _connection, _cursor, _statement, _values, told, _many: hits.append(told.cache_hit.name),
            )
            # a statement of this test alone
            db.session.execute(db.select(Reader.id.label("shared_here")).where(Reader.id == "nobody")).all()
            db.session.remove()
    assert hits[-1] == "CACHE_HIT"


def test_connections_are_not_shared(two: tuple[OpenAPI, OpenAPI]) -> None:
    engines = []
    for app in two:
        with app.app_context():
            engines.append(db.engine)
    assert engines[0] is not engines[1]
    assert engines[0].pool is not engines[1].pool
    assert engines[0].dialect is engines[1].dialect
