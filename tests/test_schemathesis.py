"""The API keeps to its own description, whatever the description allows or forbids to be sent."""

from collections import defaultdict

import pytest
import schemathesis
from asgiref.wsgi import WsgiToAsgi
from jsonschema import Draft202012Validator
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from paywall.sessions import SESSION_COOKIE
from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from paywall.storage.service_keys import Scope
from paywall.tokens import verification
from tests.support import subscribers
from tests.support.browsers import browser
from tests.support.colleagues import colleague
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

ENDLESS = "1000000 per minute"
DOCUMENT = "/openapi/openapi.json"


@pytest.fixture
def app(make_app):
    """The application, without limits on how much may be asked."""
    made = make_app(limits={"api": ENDLESS, "api_refused": ENDLESS})
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def secrets(app, clock):
    """A service's key and a reader's token, by the names that the description gives them."""
    _, key = service_keys.add("news", clock.now())
    _, reports_key = service_keys.add("figures", clock.now(), Scope.REPORTS)
    staff = colleague(app).get_cookie(SESSION_COOKIE)
    token = subscribers.token(*subscribers.subscriber(clock.now()), clock.now())
    verification.of_app().snapshots.interval = 60.0
    return {
        "service_key": {"bearer": key},
        "reports_key": {"bearer": reports_key},
        "staff_session": {"api_key": staff.value},
        "service_name": {"username": "news", "password": key},
        "reader_token": {"bearer": token},
        "reader_cookie": {"api_key": token},
    }


@pytest.fixture
def schema(app, secrets):
    """The description, read and asked in this process; who asks has the right secrets."""
    settings = {
        "seed": 1,
        "continue-on-failure": True,
        "auth": {"openapi": secrets},
        "generation": {"max-examples": 20, "deterministic": True, "database": "none"},
        "phases": {"coverage": {"generate-duplicate-query-parameters": True}, "stateful": {"enabled": False}},
    }

    def at_home(environ, start_response):
        return app.wsgi_app({**environ, "HTTP_HOST": "pay.test", "wsgi.url_scheme": "https"}, start_response)

    config = schemathesis.Config.from_dict(settings)
    return schemathesis.openapi.from_asgi(DOCUMENT, WsgiToAsgi(at_home), config=config)


def faults(recorder):
    """What the checks of a scenario found, with the request that shows it."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            case = recorder.cases[case_id].value
            # what a report may be asked (days, names that are known) is more than a description can say
            refused = check.name == "positive_data_acceptance" and case.path.startswith("/v1/reports/")
            if check.status is Status.FAILURE and not refused:
                request = case.as_curl_command()
                yield f"{check.name}: {check.failure_info.failure}\n{request}"


def test_every_address_keeps_to_the_description(schema) -> None:
    """Statuses, types, headers and shapes of all answers; good requests taken, bad ones refused; no way in without
    a secret; no 500.
    """
    found, asked = [], defaultdict(set)
    for event in from_schema(schema).execute():
        assert not isinstance(event, NonFatalError | FatalError), event
        if isinstance(event, ScenarioFinished):
            found += faults(event.recorder)
            for interaction in event.recorder.interactions.values():
                asked[event.label].add(interaction.response.status_code)
    assert not found, "\n\n".join(found)
    assert set(asked) == {
        f"{method.upper()} {path}" for path, one in schema.raw_schema["paths"].items() for method in one
    }
    for label, statuses in asked.items():
        assert statuses & {200, 204}, f"{label} was never answered with what it is for: {statuses}"
        assert label.endswith("jwks.json") or statuses & {401, 403}, label


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("post", "/v1/tokens/verify", {"json": {"token": "TOKEN", "require": "memos"}}),
        ("post", "/v1/tokens/verify", {"json": {"token": "TOKEN", "require": "podcasts"}}),
        ("post", "/v1/tokens/renew", {"json": {"token": "TOKEN"}}),
        ("post", "/v1/introspect", {"data": {"token": "TOKEN"}}),
        ("get", "/v1/revocations", {}),
        ("get", "/.well-known/jwks.json", {}),
    ],
)
def test_an_answer_to_a_good_question_has_the_shape_that_is_described(app, secrets, clock, method, path, sent) -> None:
    """No made-up text is a good token, so these answers are asked for by name; no member may be missing or too many."""
    revocations.of_session("ses_other", "test", clock.now())
    token = secrets["reader_token"]["bearer"]
    filled = {how: {name: text.replace("TOKEN", token) for name, text in body.items()} for how, body in sent.items()}
    client = browser(app)
    headers = {"Authorization": f"Bearer {secrets['service_key']['bearer']}"}
    answer = client.open(path, method=method.upper(), headers=headers, **filled)
    document = client.get(DOCUMENT).json
    (media,) = document["paths"][path][method]["responses"]["200"]["content"].values()
    described = {**media["schema"], "components": document["components"]}
    assert answer.status_code == 200
    Draft202012Validator(described).validate(answer.json)
    name = media["schema"]["$ref"].rpartition("/")[2]
    assert set(answer.json) <= set(document["components"]["schemas"][name]["properties"])
