"""What applications share is shared indeed, with these versions of the libraries, and nothing else is.

The sharing replaces parts that those libraries keep to themselves: with a new version it may no longer take hold.
"""

import tomllib
from collections.abc import Callable

import flask_openapi3.openapi
import pytest
from flask import Flask, render_template
from flask_openapi3.openapi import OpenAPI
from jinja2 import DictLoader
from sqlalchemy import event
from werkzeug.routing import UnicodeConverter

from paywall.storage.database import db
from paywall.storage.models import Reader

Making = Callable[..., OpenAPI]


@pytest.fixture
def two(make_app: Making) -> tuple[OpenAPI, OpenAPI]:
    """Two applications on one database, each with its settings."""
    return make_app(), make_app(web={"base_url": "https://other.test"})


def test_one_table_of_addresses_is_made(two: tuple[OpenAPI, OpenAPI]) -> None:
    first, second = (list(app.url_map.iter_rules()) for app in two)
    assert len(first) > 20
    assert [id(rule) for rule in first] == [id(rule) for rule in second]
    assert two[0].url_map is not two[1].url_map
    assert two[0].url_map._matcher is two[1].url_map._matcher


def page(name: str, said: str, **options: object) -> Flask:
    app = Flask(name)
    app.add_url_rule("/page", "page", lambda: said, **options)
    return app


def test_what_is_added_later_is_in_the_table_of_that_application_alone() -> None:
    first, second = page("first", "one"), page("second", "two")
    assert [app.test_client().get("/page").text for app in (first, second)] == ["one", "two"]
    second._got_first_request = False
    second.add_url_rule("/more", "more", lambda: "more")
    assert [app.test_client().get("/more").status_code for app in (first, second)] == [404, 200]
    assert [app.test_client().get("/page").text for app in (first, second)] == ["one", "two"]


def test_the_same_address_with_other_options_has_a_table_of_its_own() -> None:
    """Other methods, defaults, a converter of one's own, and who answers OPTIONS."""
    plain, posted = page("plain", "one"), page("posted", "one", methods=["POST"])
    assert [app.test_client().post("/page").status_code for app in (plain, posted)] == [405, 200]
    quiet = page("quiet", "one", methods=["GET", "OPTIONS"], provide_automatic_options=False)
    asked = page("asked", "one", methods=["GET", "OPTIONS"], provide_automatic_options=True)
    assert [app.test_client().options("/page").text for app in (quiet, asked, quiet)] == ["one", "", "one"]
    given = []
    for number in (1, 2, 1):
        app = Flask("given")
        app.add_url_rule("/page", "page", str, defaults={"object": number})
        given.append(app.test_client().get("/page").text)
    assert given == ["1", "2", "1"]
    shouted = []
    for converter in (Upper, UnicodeConverter):
        app = Flask("shouting")
        app.url_map.converters["word"] = converter
        app.add_url_rule("/<word:object>", "page", str)
        shouted.append(app.test_client().get("/abc").text)
    assert shouted == ["ABC", "abc"]


class Upper(UnicodeConverter):
    """Reads a part of an address in capitals."""

    def to_python(self, value: str) -> str:
        return value.upper()


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


def test_a_file_of_settings_is_read_once_and_its_values_are_not_shared() -> None:
    text = "[web]\nnames = ['a']\n"
    first, second = tomllib.loads(text), tomllib.loads(text)
    first["web"]["names"].append("b")
    assert second == {"web": {"names": ["a"]}} == tomllib.loads(text)
    assert tomllib.loads("x = 1.5", parse_float=str) == {"x": "1.5"}
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads("[")


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
