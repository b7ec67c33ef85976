"""What one worker does, the others know within a moment."""

import time

import requests

from paywall.storage import service_keys
from paywall.storage.database import db
from tests.demo.procs import eventually
from tests.journeys.races.stories import address, buyer
from tests.support.farm import Farm
from tests.support.forms import form_of


def refusals(farm: Farm, key: str, token: str) -> list[str | None]:
    """What each of the servers says of a token, asked several times so that each worker answers."""
    headers = {"Authorization": f"Bearer {key}"}
    said = []
    for door in farm.doors:
        for _ in range(6):
            answer = requests.post(f"{door.url}/v1/tokens/verify", json={"token": token}, headers=headers, timeout=10)
            assert answer.status_code == 200, answer.text
            said.append(answer.json().get("reason"))
    return said


def test_signing_out_at_one_server_is_known_to_every_worker_within_moments(farm: Farm) -> None:
    _, key = service_keys.add("news", farm.parts.clock.now())
    db.session.commit()
    visitor, _, _, back = buyer(farm, address("leaves"))
    assert visitor.send("GET", back).status_code == 303
    token = visitor.cookies["paywall_token"]
    assert set(refusals(farm, key, token)) == {None}
    page = visitor.send("GET", "/account")
    assert visitor.send("POST", "/sign-out", data=form_of(page.text)).status_code == 303
    since = time.monotonic()
    assert eventually(lambda: set(refusals(farm, key, token)) == {"revoked"})
    assert time.monotonic() - since < 3, "a second, and patience for a busy machine"
