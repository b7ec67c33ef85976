"""Asks the service for a fresh token in exchange for an old one, over the service key."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from paywall.verifier import forking
from paywall.verifier.codec import MAX_TOKEN_CHARS
from paywall.verifier.decision import Renewal
from paywall.verifier.errors import Reason, TransportError
from paywall.verifier.line import Line
from paywall.verifier.transport import Answer

log = logging.getLogger("paywall.verifier")

UNAVAILABLE = "unavailable"
NO_SERVICE_KEY = "no_service_key"


class Renewer:
    """Renews tokens at one address. Thread-safe; never raises.

    A browser sends the same old cookie with every request of a page, and goes on sending it after a refusal. So a
    refusal is remembered by the old token for `remember` seconds, but a new token only for `share`: whatever is
    remembered is still handed out after a sign-out. When the service cannot be reached nothing is asked for `pause`
    seconds, so that pages do not wait for the time-out one after another.
    """

    def __init__(
        self,
        url: str,
        service_key: str | None,
        line: Line,
        *,
        remember: float = 10.0,
        share: float = 1.0,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._service_key = service_key
        self._line = line
        self._remember = remember
        self._share = share
        self._pause = pause
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, Renewal]] = OrderedDict()
        self._paused_until = float("-inf")
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Makes a lock that nobody holds, and forgets what may have been half written."""
        self._lock = threading.Lock()
        self._answers = OrderedDict()

    def renew(self, token: str) -> Renewal:
        """A new token for `token`, or the reason why there is none."""
        if self._service_key is None:
            return Renewal(reason=NO_SERVICE_KEY)
        if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS:
            return Renewal(reason=Reason.MALFORMED)
        known = self._recall(token)
        if known is not None:
            return known
        if self._clock() < self._paused_until:
            return Renewal(reason=UNAVAILABLE)
        try:
            renewal = _read(self._ask(token))
        except TransportError as error:
            self._paused_until = self._clock() + self._pause
            log.warning("token not renewed at %s: %s", self._url, error)
            return Renewal(reason=UNAVAILABLE)
        self._keep(token, renewal)
        return renewal

    def _ask(self, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._service_key}"}
        return self._line.ask(self._url, send={"token": token}, headers=headers)

    def _recall(self, token: str) -> Renewal | None:
        with self._lock:
            until, renewal = self._answers.get(token, (float("-inf"), None))
        return renewal if self._clock() < until else None

    def _keep(self, token: str, renewal: Renewal) -> None:
        seconds = self._share if renewal.token else self._remember
        with self._lock:
            self._answers[token] = (self._clock() + seconds, renewal)
            self._answers.move_to_end(token)
            while len(self._answers) > 1024:
                self._answers.popitem(last=False)


def _read(answer: Answer) -> Renewal:
    """The renewal in an answer; TransportError for one that is not as agreed."""
    body = answer.body
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(body.get("active"), bool):
        raise TransportError(f"status {answer.status}, not a renewal")
    if not body["active"]:
        reason = body.get("reason")
        return Renewal(reason=reason if isinstance(reason, str) else Reason.MALFORMED)
    token, seconds = body.get("token"), body.get("expires_in")
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS or type(seconds) is not int or seconds <= 0:
        raise TransportError("a renewal without a usable token")
    return Renewal(token=token, expires_in=seconds)
