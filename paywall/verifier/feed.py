"""The pages of the service's revocation list, and the state that they add up to."""

from dataclasses import dataclass, field
from typing import Any

from paywall.verifier.errors import TransportError
from paywall.verifier.revocations import Revocation, RevocationList
from paywall.verifier.transport import Answer

_Entries = dict[tuple[str, str], tuple[int | None, int]]


@dataclass(slots=True)
class Feed:
    """What was read of the list so far: of which epoch, up to which number, and each entry with its generation and
    its end in Unix seconds. `etag` is that of an answer that had nothing after `seq`.
    """

    epoch: str = ""
    seq: int = 0
    etag: str | None = None
    entries: _Entries = field(default_factory=dict)

    def add(self, answer: Answer) -> bool:
        """Take a page over; returns whether there is more. Raises TransportError for one that is not as agreed.

        A page of another epoch than the one before empties the state: the numbers begin anew.
        """
        epoch, last, more, found = _read(answer)
        if epoch != self.epoch and self.seq > 0:
            self.epoch, self.seq, self.etag, self.entries = epoch, 0, None, {}
            return True
        self.epoch = epoch
        for seq, kind, value, generation, end in found:
            if seq <= self.seq:
                raise TransportError("the list of revocations is not in order")
            self.seq = seq
            known = self.entries.get((kind, value), (None, 0))
            highest = max(generation, known[0] or 0) if generation is not None else None
            self.entries[kind, value] = (highest, max(end, known[1]))
        if more and not found:
            raise TransportError("a page of revocations without an entry promises more")
        nothing_new = not found and last <= self.seq
        self.etag = answer.headers.get("ETag") if nothing_new else None
        if not found:
            self.seq = max(self.seq, last)
        return more

    def drop_ended(self, moment: float) -> bool:
        """Forget entries that ended before this moment (Unix seconds); returns whether there were any."""
        ended = [name for name, (_, end) in self.entries.items() if end < moment]
        for name in ended:
            del self.entries[name]
        return bool(ended)

    def as_list(self) -> RevocationList:
        """The entries for lookups."""
        return RevocationList(_entry(kind, value, gen) for (kind, value), (gen, _) in self.entries.items())


def _read(answer: Answer) -> tuple[str, int, bool, list[tuple[int, str, str, int | None, int]]]:
    body = answer.body
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(body.get("entries"), list):
        raise TransportError(f"status {answer.status}, not a list of revocations")
    epoch, last, more = body.get("epoch"), body.get("last"), body.get("more")
    if not isinstance(epoch, str) or type(last) is not int or type(more) is not bool:
        raise TransportError("a list of revocations without epoch, last or more")
    return epoch, last, more, [_read_entry(entry) for entry in body["entries"]]


def _read_entry(entry: Any) -> tuple[int, str, str, int | None, int]:
    """An entry that cannot be understood refuses the page: it takes something back, and we would not know what."""
    match entry:
        case {"seq": int(seq), "kind": "jti" | "sid" as kind, "value": str(value), "expires_at": int(end)}:
            return seq, kind, value, None, end
        case {"seq": int(seq), "kind": "sub", "value": str(value), "generation": int(gen), "expires_at": int(end)}:
            return seq, "sub", value, gen, end
    raise TransportError("an entry in the list of revocations that this version does not know")


def _entry(kind: str, value: str, generation: int | None) -> Revocation:
    if kind == "sub":
        return Revocation(sub=value, gen=generation)
    return Revocation(sid=value) if kind == "sid" else Revocation(jti=value)
