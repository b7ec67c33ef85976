"""Keys rotate while everybody asks: the lane, gateways, renewals and the library see every stage, and no failure."""

import threading
import time
from datetime import timedelta
from email.message import Message

import pytest

from paywall.access import addresses
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import keyring, verification
from paywall.verifier import Verifier
from paywall.verifier.codec import key_id
from paywall.verifier.transport import Answer
from paywall.worker.jobs import all_jobs
from paywall.worker.shift import Shift
from tests.support import subscribers
from tests.support.browsers import browser

ROTATE, SESSION, AHEAD = timedelta(days=20), timedelta(days=10), timedelta(minutes=5)
FORMS = ("paywall", "jwt")


class Load:
    """Threads that renew and ask without a pause, each its own reader's session; whatever is refused is a failure."""

    def __init__(self, app, clock, service_key):
        self._app, self._clock = app, clock
        self._bearer = {"Authorization": f"Bearer {service_key}"}
        self._service_key = service_key
        self._over = threading.Event()
        self.failures, self.asked, self.kids = [], {}, {}
        self._threads = []

    def start(self, tokens):
        with self._app.app_context():
            base = self._app.extensions["paywall"].settings.web.base_url
        # no background and no cool-down: a key that it does not know is fetched by the check that meets it
        self._verifier = Verifier(
            base,
            self._service_key,
            background=False,
            cooldown=0,
            refresh=0.05,
            clock=self._clock.now,
            transport=self._ask,
        )
        ways = (self._verify, self._authorize, self._offline)
        for number, token in enumerate(tokens):
            way, form = ways[number % len(ways)], FORMS[number % len(FORMS)]
            name = f"{way.__name__.strip('_')} {form}"
            self._threads.append(threading.Thread(target=self._go_on, args=(name, way, token, form)))
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(20)
        self._verifier.close()

    def rounds(self, kid, count=3):
        """Waits until each thread has asked so often again with tokens that this key signed."""
        deadline, before = time.monotonic() + 20, dict(self.kids)
        while len(self.asked) < 6 or any(
            self.kids.get((name, kid), 0) < before.get((name, kid), 0) + count for name in self.asked
        ):
            assert time.monotonic() < deadline, (self.kids, self.failures[:3])
            assert not self.failures, self.failures[:3]
            time.sleep(0.01)

    def _go_on(self, name, way, token, form):
        client = browser(self._app)
        self.asked[name] = 0
        while not self._over.is_set():
            try:
                before = self._clock.now()
                renewed = client.post("/v1/tokens/renew", json={"token": token, "format": form}, headers=self._bearer)
                token = renewed.json["token"]
                # weeks pass between two questions here, and a token that ended meanwhile is rightly refused
                if not way(client, token) and self._clock.now() - before < timedelta(minutes=15):
                    self.failures.append((name, key_id(token)))
            except Exception as error:  # a thread that dies would only look like one that has nothing to complain of
                self.failures.append((name, repr(error)))
                return
            self.asked[name] += 2
            self.kids[name, key_id(token)] = self.kids.get((name, key_id(token)), 0) + 1

    def _verify(self, client, token):
        return client.post(addresses.VERIFY, json={"token": token}, headers=self._bearer).json["allowed"]

    def _authorize(self, client, token):
        return client.get(addresses.AUTHORIZE, headers={"Authorization": f"Bearer {token}"}).status_code == 204

    def _offline(self, client, token):
        return self._verifier.check(token, require="analyses").allowed

    def _ask(self, url, *, send=None, headers=None, timeout=2.0, max_bytes=0):
        path = url.removeprefix(self._verifier.issuer)
        answer = browser(self._app).get(path, headers=dict(headers or {}))
        told = Message()
        for name, value in answer.headers.items():
            told[name] = value
        return Answer(answer.status_code, told, answer.json if answer.status_code != 304 else None)


@pytest.fixture
def app(make_app):
    tokens = {"publish_ahead_seconds": AHEAD.total_seconds(), "rotate_days": ROTATE.days}
    made = make_app(tokens=tokens, web={"session_days": SESSION.days})
    with made.app_context():
        verification.of_app().snapshots.interval = 0.02
        yield made
        db.session.remove()


@pytest.fixture
def load(app, clock):
    _, service_key = service_keys.add("news", clock.now())
    keyring.ensure(clock.now())
    reader = subscribers.reader(clock.now())
    subscribers.entitle(reader, clock.now())
    sessions = [subscribers.session(reader, clock.now(), timedelta(days=300)) for _ in range(6)]
    tokens = [subscribers.token(reader, session, clock.now()) for session in sessions]
    db.session.remove()
    made = Load(app, clock, service_key)
    made.start(tokens)
    yield made
    made.stop()


def test_no_request_fails_while_keys_rotate_three_times(app, clock, load):
    def tend():
        """Two workers look after the keys, one after the other."""
        for owner in ("wrk_1", "wrk_2"):
            db.session.remove()
            (job,) = [one for one in all_jobs(app.extensions["paywall"]) if one.name == "keys"]
            job.run(Shift(owner))
        db.session.remove()

    def states():
        try:
            return {life.row.kid: life.state(clock.now()) for life in keyring.every_life()}
        finally:
            db.session.remove()

    def known(kid):
        """Waits for what takes a second outside of tests, and has minutes there."""
        deadline = time.monotonic() + 10
        while kid not in set(verification.of(app).keys(clock.now())):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    (old,) = states()
    seen = []
    for _ in range(3):
        load.rounds(old)
        clock.advance(days=ROTATE.days)
        tend()
        new = next(iter(states()))
        seen.append(states())
        known(new)
        load.rounds(old)
        clock.advance(seconds=AHEAD.total_seconds())
        load.rounds(new)
        seen.append(states())
        clock.advance(days=SESSION.days)
        seen.append(states())
        clock.advance(days=1, hours=2)
        tend()
        seen.append(states())
        old = new
    load.rounds(old)
    assert load.failures == []
    for number in range(3):
        ahead, overlap, gone, removed = (list(one.values()) for one in seen[number * 4 : number * 4 + 4])
        assert ahead == ["published", "signing"]
        assert overlap == ["signing", "retired"]
        assert gone == ["signing", "gone"]
        assert removed == ["signing"]
    assert sum(load.asked.values()) > 200
    assert len({kid for _, kid in load.kids}) == 4
