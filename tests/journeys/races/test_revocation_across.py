"""What one host takes back another refuses within a second, on PostgreSQL and under load (invariant I7)."""

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from tests.journeys.races.stories import address, buyer
from tests.support.farm import Farm
from tests.support.forms import form_of
from tests.support.servers import wait_until

BOUND = 1.0  # seconds
REPEATS = 12

on_postgresql = pytest.mark.parametrize("farm", ["postgresql"], indirect=True)


class Asker(threading.Thread):
    """A gateway that asks one server without a pause, over one connection, which stays with one worker."""

    def __init__(self, url: str, load: "Load") -> None:
        super().__init__(daemon=True)
        self._line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        self._load = load
        self.asked = 0
        self.last_allowed = 0.0  # when the last question was sent that let the reader in
        self.refused: str | None = None  # the token that was refused last

    def run(self) -> None:
        """Until the load ends."""
        while not self._load.over:
            token, sent = self._load.token, time.monotonic()
            self._line.request("GET", "/v1/authorize", headers={"Authorization": f"Bearer {token}"})
            answer = self._line.getresponse()
            answer.read()
            self.asked += 1
            if answer.status == 204:
                self.last_allowed = sent
            else:
                self.refused = token
        self._line.close()


class Load:
    """Gateways at every server, which all ask about one token."""

    def __init__(self, farm: Farm, token: str) -> None:
        self.token, self.over = token, False
        # of the first server's workers each gets some
        urls = [farm.doors[0].url] * 6 + [farm.doors[1].url] * 2
        self.askers = [Asker(url, self) for url in urls]

    def refused_by_all(self) -> bool:
        """Whether every connection was told no about the token that is asked about now."""
        return all(one.refused == self.token for one in self.askers)

    def let_in_by_all(self, since: float) -> bool:
        """Whether every connection let it in at a question that was sent since."""
        return all(one.last_allowed > since for one in self.askers)


@contextmanager
def under_load(farm: Farm, token: str) -> Iterator[Load]:
    """Gateways that ask all the time, within the block."""
    load = Load(farm, token)
    for one in load.askers:
        one.start()
    try:
        yield load
    finally:
        load.over = True
        for one in load.askers:
            one.join()


@on_postgresql
def test_what_is_taken_back_is_refused_everywhere_within_a_second(farm: Farm) -> None:
    """By the reader's generation, time after time, with a new token each; then by signing out at one server."""
    visitor, _, _, back = buyer(farm, address("across"))
    assert visitor.send("GET", back).status_code == 303
    _, key = service_keys.add("across", farm.parts.clock.now())
    db.session.commit()
    reader = reader_of(farm, visitor.cookies["paywall_token"])
    exposed = []
    with under_load(farm, visitor.cookies["paywall_token"]) as load:
        for _ in range(REPEATS):
            begun = time.monotonic()
            load.token = renewed(farm, load.token, key)
            wait_until(lambda since=begun: load.let_in_by_all(since), "the token is not taken")
            revocations.of_reader(reader, "test", farm.parts.clock.now())
            db.session.commit()
            exposed.append(until_refused(load))
        load.token = renewed(farm, load.token, key)
        begun = time.monotonic()
        wait_until(lambda: load.let_in_by_all(begun), "the token is not taken")
        page = visitor.send("GET", "/account")
        assert visitor.send("POST", "/sign-out", data=form_of(page.text)).status_code == 303
        exposed.append(until_refused(load))
    assert max(exposed) < BOUND, f"median {statistics.median(exposed):.2f} s of {sorted(exposed)}"


def until_refused(load: Load) -> float:
    """Seconds from now to the last question that let the reader in."""
    committed = time.monotonic()
    wait_until(load.refused_by_all, "the token is not refused")
    return max(0.0, *(one.last_allowed - committed for one in load.askers))


def reader_of(farm: Farm, token: str) -> str:
    """Whose token it is."""
    answer = requests.get(f"{farm.doors[0].url}/v1/authorize", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert answer.status_code == 204, answer.text
    return answer.headers["X-Paywall-Subject"]


def renewed(farm: Farm, token: str, key: str) -> str:
    """Another token of the same session, from the second server."""
    url = f"{farm.doors[1].url}/v1/tokens/renew"
    answer = requests.post(url, json={"token": token}, headers={"Authorization": f"Bearer {key}"}, timeout=20)
    assert answer.json()["active"], answer.text
    return str(answer.json()["token"])
