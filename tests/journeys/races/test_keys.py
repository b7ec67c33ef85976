"""Keys rotate under real workers of two servers: no renewal and no check of anybody fails."""

import threading
import time
from datetime import timedelta
from itertools import count

import pytest
import requests

from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import rotation
from paywall.verifier import Verifier
from paywall.verifier.codec import key_id
from tests.journeys.races.stories import address, buyer
from tests.support.farm import Farm

AHEAD = timedelta(seconds=2)  # each worker knows a key within one second, and the machine may be busy
ROTATIONS = 2


class Asker(threading.Thread):
    """Renews a token at one server and has it checked at the other, in turns, and by the library."""

    def __init__(self, farm: Farm, key: str, token: str, verifier: Verifier, form: str) -> None:
        super().__init__()
        self.kids: list[str] = []
        self.failures: list[object] = []
        self._doors, self._token, self._verifier, self._form = farm.doors, token, verifier, form
        self._key = {"Authorization": f"Bearer {key}"}
        self.over = threading.Event()

    def run(self) -> None:
        """Until it is over."""
        with requests.Session() as line:
            line.trust_env = False
            for turn in count():
                if self.over.is_set():
                    return
                try:
                    self._ask(line, self._doors[turn % 2].url, self._doors[1 - turn % 2].url)
                except Exception as error:  # a thread that dies must not look like one without complaints
                    self.failures.append(repr(error))
                    return

    def _ask(self, line: requests.Session, here: str, there: str) -> None:
        body = {"token": self._token, "format": self._form}
        self._token = line.post(f"{here}/v1/tokens/renew", json=body, headers=self._key, timeout=20).json()["token"]
        told = line.post(f"{there}/v1/tokens/verify", json={"token": self._token}, headers=self._key, timeout=20).json()
        gate = line.get(f"{there}/v1/authorize", headers={"Authorization": f"Bearer {self._token}"}, timeout=20)
        offline = self._verifier.check(self._token)
        if not told["allowed"] or gate.status_code != 204 or not offline.allowed:
            self.failures.append((told, gate.status_code, offline.reason))
        self.kids.append(key_id(self._token))


@pytest.mark.parametrize("farm", ["postgresql"], indirect=True)
def test_keys_rotate_without_a_failed_request(farm: Farm) -> None:
    visitor, _, _, back = buyer(farm, address("rotation"))
    assert visitor.send("GET", back).status_code == 303
    now = farm.parts.clock.now
    _, key = service_keys.add("rotation", now())
    db.session.commit()
    with Verifier(farm.doors[0].url, service_key=key, cooldown=0, refresh=0.5) as verifier:
        askers = [Asker(farm, key, visitor.cookies["paywall_token"], verifier, form) for form in ("paywall", "jwt") * 2]
        for asker in askers:
            asker.start()
        made = []
        for _ in range(ROTATIONS):
            time.sleep(0.5)
            row, new = rotation.rotate(now())
            assert new
            row.signs_from = now() + AHEAD
            db.session.commit()
            made.append(row.kid)
            time.sleep(AHEAD.total_seconds())
        time.sleep(0.5)
        for asker in askers:
            asker.over.set()
        for asker in askers:
            asker.join(30)
    assert [asker.failures for asker in askers] == [[]] * 4
    for asker in askers:
        changes = [kid for kid, before in zip(asker.kids, [None, *asker.kids], strict=False) if kid != before]
        assert changes[1:] == made, "each began to sign in its turn"
        assert len(asker.kids) > 20
