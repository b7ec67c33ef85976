"""Questions that were asked before: their answers, given again while all that they rest on still stands."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from paywall import limits
from paywall.access.asking import Asked, Begun, first_piece
from paywall.access.grounds import Ground
from paywall.storage.hashing import sha256_hex
from paywall.tokens.snapshot import Snapshot
from paywall.verifier import RevocationList

MOST_BYTES: Final = 2048  # of a question; a longer one is not remembered
HALF: Final = 2048  # questions in each of the two parts of a memory
_SIZES: Final = {str(size): size for size in range(1, MOST_BYTES + 1)}


@dataclass(slots=True)
class Known:
    """An answer as it leaves, with the request's route and method; and what it rests on, if it may be remembered."""

    route: str
    method: str
    status: int
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
        self._stand: tuple[RevocationList, object] = RevocationList(), object()  # a list, and what stands for it

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

    def stands(self, known: Known, held: Snapshot, asked: Asked) -> bool:
        """Whether the answer may be given again."""
        revocations, mark = self._stand
        if revocations is not held.revocations:
            mark = object()
            self._stand = held.revocations, mark  # in one piece: threads share it
        return known.ground is not None and known.ground.stands(held, mark, asked.now)


Recall = Callable[[Asked, Memory], Known | None]


def verify(asked: Asked, memory: Memory) -> Known | None:
    """What a content service was told of the same body, if its key is good. Raises Unavailable, TooManyRequests.

    The key is looked up at every request and never remembered; of one that is not good no body is read.
    """
    environ = asked.environ
    size = _SIZES.get(environ.get("CONTENT_LENGTH", ""))
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if size is None or authorization[:7] != "Bearer " or not (key := authorization[7:].strip()):
        return None
    if environ.get("CONTENT_TYPE") != "application/json" or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    held = asked.verification.snapshots.current(asked.now)
    service = held.services.get(sha256_hex(key))
    if service is None:
        return None
    data = first_piece(environ["wsgi.input"], size)
    known = memory.find(data)
    if known is None or not memory.stands(known, held, asked):
        environ["wsgi.input"] = Begun(data, environ["wsgi.input"])
        asked.question = data if len(data) == size else None
        return None
    limits.for_service(asked.app, service.id, asked.told)
    asked.recalled_for = service.id
    return known


def authorize(asked: Asked, memory: Memory) -> Known | None:
    """What a gateway was told of the same token and features. Raises Unavailable."""
    environ = asked.environ
    token, query = asked.token(), environ.get("QUERY_STRING", "")
    header = environ.get("HTTP_X_PAYWALL_REQUIRE")
    question = (token, query, header)
    known = memory.find(question)
    if known is None or not memory.stands(known, asked.verification.snapshots.current(asked.now), asked):
        if len(token or "") + len(query) + len(header or "") <= MOST_BYTES:
            asked.question = question
        return None
    asked.recalled_for = ""
    return known
