"""Which tokens were taken back before their time, by token, by session or by a reader's generation."""

from collections.abc import Iterable
from dataclasses import dataclass

from paywall.verifier.claims import Claims


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry: exactly one of `jti`, `sid`, or `sub` with `gen`.

    An entry with `sub` hits every token of that reader whose generation is below `gen`.
    """

    jti: str | None = None
    sid: str | None = None
    sub: str | None = None
    gen: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("jti", "sid", "sub") if getattr(self, name) is not None]
        if len(given) != 1 or (self.gen is not None) != (self.sub is not None):
            raise ValueError("a revocation names one jti, one sid, or one sub with its gen")


class RevocationList:
    """An immutable view of the entries, for lookups; safe to share between threads."""

    __slots__ = ("_generations", "_sessions", "_tokens")

    def __init__(self, entries: Iterable[Revocation] = ()) -> None:
        self._tokens: frozenset[str] = frozenset()
        self._sessions: frozenset[str] = frozenset()
        self._generations: dict[str, int] = {}
        self._add(entries)

    def extended(self, entries: Iterable[Revocation]) -> "RevocationList":
        """A list with these entries too; costs next to nothing beside making all of it anew."""
        found = RevocationList()
        found._tokens, found._sessions, found._generations = self._tokens, self._sessions, self._generations
        found._add(entries)
        return found

    def _add(self, entries: Iterable[Revocation]) -> None:
        tokens: set[str] = set()
        sessions: set[str] = set()
        generations = dict(self._generations)
        for entry in entries:
            if entry.jti is not None:
                tokens.add(entry.jti)
            elif entry.sid is not None:
                sessions.add(entry.sid)
            elif entry.sub is not None and entry.gen is not None:
                generations[entry.sub] = max(entry.gen, generations.get(entry.sub, 0))
        self._tokens |= tokens
        self._sessions |= sessions
        self._generations = generations

    def hits(self, claims: Claims) -> bool:
        """Whether a token with these claims was revoked."""
        return (
            claims.jti in self._tokens
            or claims.sid in self._sessions
            or claims.gen < self._generations.get(claims.sub, 0)
        )

    def __len__(self) -> int:
        return len(self._tokens) + len(self._sessions) + len(self._generations)
