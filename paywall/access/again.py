"""Questions that were asked before: their answers, given again while all that they rest on still stands."""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Flask

from paywall import limits
from paywall.access.asking import BODY, QUESTION, SERVICE, TOLD, Begun, first_piece, token_of
from paywall.access.grounds import Ground
from paywall.done import Sort
from paywall.storage.hashing import sha256_hex
from paywall.tokens import verification

MOST_BYTES: Final = 2048  # of a question; a longer one is not remembered
HALF: Final = 2048  # questions in each of the two parts of a memory
_SIZES: Final = {str(size): size for size in range(1, MOST_BYTES + 1)}


@dataclass(slots=True)
class Known:
    """An answer as it leaves, but for what is left of limits; and what it rests on, if it may be remembered."""

    sort: Sort
    line: str
    headers: list[tuple[str, str]]
    body: list[bytes]
    ground: Ground | None


class Memory:
    """Answers by question, at most 4,096. When it is full those not asked for lately are forgotten.

    Thread-safe without a lock: at worst an answer is forgotten early. One that was decided before a fork stands in the
    child only if it would be decided alike there.
    """

    def __init__(self) -> None:
        self._new: dict[Hashable, Known] = {}
        self._old: dict[Hashable, Known] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def find(self, question: Hashable) -> Known | None:
        """What was answered; whether it still stands is another matter."""
        known = self._new.get(question)
        if known is None and (known := self._old.get(question)) is not None:
            self.keep(question, known)
        return known

    def keep(self, question: Hashable, known: Known) -> None:
        """Remembers an answer."""
        if len(self._new) >= HALF:
            self._old, self._new = self._new, {}
        self._new[question] = known


Recalled = tuple[Known, str, list[tuple[str, str]]]  # who asked: a service's id, or nothing; and headers of limits


class Again(ABC):
    """The questions of one address, with what was answered."""

    def __init__(self, app: Flask) -> None:
        self.memory = Memory()
        self._snapshots = verification.of(app).snapshots
        self._spend = limits.more_for_service(app)

    @abstractmethod
    def find(self, environ: dict[str, Any], now: datetime, moment: float) -> Recalled | None:
        """What was answered before and still stands; ``moment`` is now by the monotonic clock. Raises Unavailable.

        Otherwise the environment is told what was found out on the way.
        """


class Verify(Again):
    """Of content services: the same body, from one whose key is good.

    The key is looked up at every request and never remembered; of one that is not good no body is read.
    """

    def find(self, environ: dict[str, Any], now: datetime, moment: float) -> Recalled | None:
        """The answer to the same body."""
        size = _SIZES.get(environ.get("CONTENT_LENGTH", ""))
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if size is None or authorization[:7] != "Bearer " or not (key := authorization[7:].strip()):
            return None
        if environ.get("CONTENT_TYPE") != "application/json" or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        held = self._snapshots.fresh(moment) or self._snapshots.current(now)
        service = held.services.get(sha256_hex(key))
        if service is None:
            return None
        body, told = first_piece(environ["wsgi.input"], size), self._spend(service.id, moment)
        known = self.memory.find(body)
        if told is not None and known is not None and known.ground is not None and known.ground.stands(held, now):
            return known, service.id, told
        environ[SERVICE], environ[TOLD] = service, told
        if len(body) == size:
            environ[BODY] = environ[QUESTION] = body
        else:
            environ["wsgi.input"] = Begun(body, environ["wsgi.input"])
        return None


class Authorize(Again):
    """Of gateways: the same token and the same features."""

    def find(self, environ: dict[str, Any], now: datetime, moment: float) -> Recalled | None:
        """The answer to the same question."""
        token, query = token_of(environ), environ.get("QUERY_STRING", "")
        header = environ.get("HTTP_X_PAYWALL_REQUIRE")
        question = (token, query, header)
        known = self.memory.find(question)
        if known is not None and known.ground is not None:
            held = self._snapshots.fresh(moment) or self._snapshots.current(now)
            if known.ground.stands(held, now):
                return known, "", []
        if len(token or "") + len(query) + len(header or "") <= MOST_BYTES:
            environ[QUESTION] = question
        return None
