"""Measures the verifier library by itself, one thread: beside a raw signature check, and beside PyJWT."""

import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import jwt

from paywall.verifier import KeySet, SigningKey, TokenCodec, Verifier
from paywall.verifier.options import Options
from tests.bench.places import say
from tests.bench.results import Findings, Row
from tests.bench.servers import claims
from tests.bench.sizes import memory

PART = "library"
ISSUER = "https://pay.test"
ROUNDS, TOKENS, SEEN = 41, 200, 3000
RAW, NEW, REMEMBERED, PYJWT = "one raw Ed25519 verification", "a new token", "a token seen before", "PyJWT's decode"
CROWD, CROWD_CALLS = 100_000, 3000


class Bench:
    """What is asked in turns: each method takes microseconds a call of its kind."""

    def __init__(self) -> None:
        self.key, codec = SigningKey.generate(), TokenCodec()
        self.jwks = KeySet({self.key.kid: self.key.public}).to_jwks()
        self.tokens = [codec.dumps(claims(ISSUER, number), self.key) for number in range(TOKENS)]
        self.signed = [(self.key.private.sign(text.encode()), text.encode()) for text in self.tokens]
        self.jwt = jwt.encode(claims(ISSUER), self.key.private, algorithm="EdDSA", headers={"kid": self.key.kid})
        self.known = self.verifier()
        assert self.known.check(self.tokens[0], "memos").allowed
        self.known_token = self.tokens[0]

    def verifier(self, **options: int) -> Verifier:
        """One that knows no token yet."""
        return Verifier(ISSUER, keys=self.jwks, **options)  # type: ignore[arg-type]

    def raw(self) -> float:
        """The signature alone, of messages of the same length."""
        verify = self.key.public.verify
        return micro(lambda: [verify(signature, text) for signature, text in self.signed], TOKENS)

    def new(self) -> float:
        """Whole checks, of tokens that this verifier meets for the first time."""
        check = self.verifier().check
        return micro(lambda: [check(token, "memos") for token in self.tokens], TOKENS)

    def seen(self) -> float:
        """Whole checks of one token that it knows."""
        check, token = self.known.check, self.known_token
        return micro(lambda: [check(token, "memos") for _ in range(SEEN)], SEEN)

    def pyjwt(self) -> float:
        """The same claims as a JWT, read by PyJWT: signature, times, audience and issuer."""

        def decode() -> None:
            for _ in range(TOKENS):
                jwt.decode(self.jwt, self.key.public, algorithms=["EdDSA"], audience="content", issuer=ISSUER)

        return micro(decode, TOKENS)


def micro(call: Callable[[], object], count: int) -> float:
    """Microseconds of this thread's processor time each: who else uses the machine counts less."""
    began = time.thread_time()
    call()
    return (time.thread_time() - began) / count * 1e6


def library(found: Findings) -> None:
    """The ways in turns, so that all meet the same machine."""
    say(f"\nThe library, one thread, microseconds of processor time a call, {ROUNDS} rounds:")
    bench = Bench()
    ways = {RAW: bench.raw, NEW: bench.new, REMEMBERED: bench.seen, PYJWT: bench.pyjwt}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            found.measured.setdefault(name, []).append(way())
    for name in ways:
        show(name, found.measured[name])
    found.ratio(PART, NEW, RAW, goal=1.4, most=True)
    found.ratio(PART, REMEMBERED, PYJWT, goal=1 / 50, most=True)
    crowds(found, bench)


def show(name: str, taken: Sequence[float]) -> None:
    """One line."""
    say(f"  {name:34}{statistics.median(taken):8.2f}   ({min(taken):.2f} to {max(taken):.2f})")


def ask(verifier: Verifier, tokens: Iterable[str]) -> Verifier:
    """A check of each; returns who made them, so that it lives on."""
    for token in tokens:
        assert verifier.check(token, "memos").allowed
    return verifier


def crowds(found: Findings, bench: Bench) -> None:
    """Very many readers, each as likely as any other, through the default cache: calls a second beside one reader's.

    Without a goal: in the library a call that remembers costs next to nothing, so one that must verify looks dear
    beside it. What is noticed over HTTP is measured in the lane.
    """
    size, codec = Options().cache_size, TokenCodec()
    numbers = random.Random(1).choices(range(CROWD), k=size + CROWD_CALLS)
    crowd = [codec.dumps(claims(ISSUER, number), bench.key) for number in numbers]
    verifier = bench.verifier()
    held = memory(partial(ask, verifier, (text.encode().decode() for text in crowd[:size])))  # with the texts
    took = micro(partial(ask, verifier, crowd[size:]), CROWD_CALLS)
    what, note = f"{CROWD:,} readers, default cache", f"{size:,} tokens remembered, in {held:.1f} MiB"
    say(f"  {what:34}{took:8.2f}   ({note})")
    found.measured[what] = [took]
    found.add(Row(PART, what, "one reader's throughput", found.middle(REMEMBERED) / took, note=note))
