"""Facts about the installation: written, replaced, read."""

from flask_openapi3.openapi import OpenAPI

from paywall.storage import facts
from paywall.storage.database import db


def test_a_fact_is_read_as_it_was_written_last(app: OpenAPI) -> None:
    assert facts.get("colour") is None
    facts.put("colour", "red")
    facts.put("shape", "round")
    facts.put("colour", "blue")
    db.session.commit()
    assert (facts.get("colour"), facts.get("shape")) == ("blue", "round")
