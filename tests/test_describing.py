"""What the description says of every address is a part of OpenAPI, and names what is answered."""

from paywall.describing import Problem, headers, problems, questions


def test_problems_are_described_by_their_status_with_their_type() -> None:
    described = problems("400", "429")
    assert set(described) == {"400", "429"}
    for one in described.values():
        assert list(one["content"]) == ["application/problem+json"]
        assert one["content"]["application/problem+json"]["schema"]["title"] == Problem.__name__
    assert "headers" not in described["400"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} == set(described["429"]["headers"])


def test_headers_are_named_as_they_are_sent() -> None:
    assert headers(X_Paywall_Expires="Ends.") == {
        "X-Paywall-Expires": {"description": "Ends.", "schema": {"type": "integer"}}
    }


def test_what_may_be_asked_may_be_left_out() -> None:
    (one,) = questions(by="The step.")
    assert (one["name"], one["in"], one["description"]) == ("by", "query", "The step.")
    assert "required" not in one
