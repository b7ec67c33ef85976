"""While a report is made threads take short turns, so that checks of tokens wait for it only briefly."""

import sys
from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask

from paywall.reports import serving, turns, views

USUAL = 0.005


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL)
    yield
    sys.setswitchinterval(before)


def test_turns_are_short_until_the_last_of_several_has_ended() -> None:
    with turns.short():
        with turns.short():
            assert sys.getswitchinterval() == pytest.approx(0.0003)
        assert sys.getswitchinterval() == pytest.approx(0.0003)
    assert sys.getswitchinterval() == pytest.approx(USUAL)


def asked(view) -> Flask:
    app, blueprint = Flask(__name__), Blueprint("told", __name__)
    turns.take(blueprint)
    blueprint.get("/")(view)
    app.register_blueprint(blueprint)
    return app


def test_every_request_to_a_blueprint_that_takes_them_is_answered_in_short_turns() -> None:
    app = asked(lambda: f"{sys.getswitchinterval():.4f}")
    assert app.test_client().get("/").text == "0.0003"
    assert sys.getswitchinterval() == pytest.approx(USUAL)


def test_they_end_with_an_error_too() -> None:
    app = asked(lambda: 1 / 0)
    assert app.test_client().get("/").status_code == 500
    assert sys.getswitchinterval() == pytest.approx(USUAL)


def test_one_who_is_turned_away_before_ends_nothing() -> None:
    app, blueprint = Flask(__name__), Blueprint("told", __name__)
    blueprint.before_request(lambda: ("no", 403))
    turns.take(blueprint)
    blueprint.get("/")(lambda: "yes")
    app.register_blueprint(blueprint)
    assert app.test_client().get("/").status_code == 403
    assert sys.getswitchinterval() == pytest.approx(USUAL)


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_sent_in_pieces_is_made_in_short_turns_to_its_end(whole: bool) -> None:
    pieces = turns.passing([b"one", b"two"])
    assert (next(pieces), sys.getswitchinterval()) == (b"one", pytest.approx(0.0003))
    (list if whole else type(pieces).close)(pieces)
    assert sys.getswitchinterval() == pytest.approx(USUAL)


@pytest.mark.parametrize("blueprint", [serving.api, views.blueprint], ids=["api", "pages"])
def test_reports_take_them(blueprint: Blueprint) -> None:
    assert turns._begin in blueprint.before_request_funcs[None]
    assert turns._end in blueprint.teardown_request_funcs[None]
