"""The API describes itself truly."""

import pytest
from jsonschema import Draft202012Validator

from paywall.openapi import PAGE
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def document(client):
    """The description."""
    answer = client.get("/openapi/openapi.json")
    assert answer.status_code == 200
    return answer.json


def schema_of(document, answer):
    """The schema of an answer, with what it refers to."""
    (media,) = answer["content"].values()
    return {**media["schema"], "components": document["components"]}


def test_every_address_for_programs_is_described(app, document) -> None:
    ours = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/v1/", "/.well-known/"))}
    assert set(document["paths"]) == ours
    assert document["openapi"].startswith("3.1")


def test_content_services_are_told_to_send_their_key(document) -> None:
    scheme = document["components"]["securitySchemes"]["service_key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path in ("/v1/tokens/verify", "/v1/tokens/renew"):
        assert document["paths"][path]["post"]["security"] == [{"service_key": []}]
    assert document["paths"]["/v1/revocations"]["get"]["security"] == [{"service_key": []}]
    assert document["paths"]["/v1/introspect"]["post"]["security"] == [{"service_key": []}, {"service_name": []}]
    assert document["components"]["securitySchemes"]["service_name"]["scheme"] == "basic"
    assert "security" not in document["paths"]["/.well-known/jwks.json"]["get"]


def test_gateways_are_told_to_send_what_the_reader_sent(document) -> None:
    schemes = document["components"]["securitySchemes"]
    asked = document["paths"]["/v1/authorize"]["get"]
    assert asked["security"] == [{"reader_token": []}, {"reader_cookie": []}]
    assert (schemes["reader_cookie"]["in"], schemes["reader_cookie"]["name"]) == ("cookie", "paywall_token")
    assert set(asked["responses"]) == {"204", "401", "403", "503"}
    assert set(asked["responses"]["204"]["headers"]) == {"X-Paywall-Subject", "X-Paywall-Scope", "X-Paywall-Expires"}


def test_a_form_is_described_as_it_is_taken(document) -> None:
    (kind,) = document["paths"]["/v1/introspect"]["post"]["requestBody"]["content"]
    assert kind == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/v1/tokens/verify", "/v1/tokens/renew"])
def test_every_refusal_is_described_as_a_problem_document(document, path: str) -> None:
    answers = document["paths"][path]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "413", "415", "422", "429", "503"}
    for status, answer in answers.items():
        kind = "application/json" if status == "200" else "application/problem+json"
        assert list(answer["content"]) == [kind], status


def test_the_description_names_no_answer_that_is_never_given(document) -> None:
    assert set(document["paths"]["/.well-known/jwks.json"]["get"]["responses"]) == {"200", "503"}
    assert "ValidationErrorModel" not in str(document)


def test_answers_are_as_described(client, document) -> None:
    refused = client.post("/v1/tokens/verify", json={"token": "x"})
    answers = document["paths"]["/v1/tokens/verify"]["post"]["responses"]
    Draft202012Validator(schema_of(document, answers["401"])).validate(refused.json)
    keys = document["paths"]["/.well-known/jwks.json"]["get"]["responses"]["200"]
    Draft202012Validator(schema_of(document, keys)).validate(client.get("/.well-known/jwks.json").json)
    body = document["paths"]["/v1/tokens/verify"]["post"]["requestBody"]
    taken = Draft202012Validator(schema_of(document, body))
    assert taken.is_valid({"token": "x", "require": "analyses"})
    assert not taken.is_valid({"token": "x", "requires": "analyses"})


def test_the_page_holds_no_script_or_style_of_its_own(client) -> None:
    for path in ("/openapi/", "/openapi/swagger"):
        assert client.get(path).text == PAGE.rstrip("\n")
    assert "<style" not in PAGE
    assert "style=" not in PAGE
    assert PAGE.count("<script") == PAGE.count("<script src=")
