"""Rate limits: counted for networks, persons and content services, told in headers, refused with a time to wait."""

import ipaddress
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RateLimitExceeded, RequestLimit
from limits import parse_many
from limits.errors import StorageError

from paywall import context, sessions, web
from paywall.errors import TooManyRequests
from paywall.options import Limits
from paywall.phrases import N_, Phrase
from paywall.settings import Settings
from paywall.storage import readers
from paywall.storage.hashing import sha256_hex

View = TypeVar("View", bound=Callable[..., Any])

_REDIS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "wrap_exceptions": True}
_API = "paywall.api_limits"
_OPEN = ("network", "reader", "service")  # whose counts are told; a typed address may be another's


def network() -> str:
    """The network of the request's caller."""
    return network_of(request.remote_addr)


def network_of(remote: str | None) -> str:
    """A caller's network: an address of IPv4; of IPv6 the /64 of which one subscriber has all."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return "network:unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return f"network:{address}"
    if address.ipv4_mapped:
        return f"network:{address.ipv4_mapped}"
    return f"network:{ipaddress.ip_network((address, 64), strict=False)}"


def person() -> str:
    """Whom it is about: the signed-in reader, else the typed address; empty where there is neither."""
    session = sessions.current()
    return f"reader:{session.reader.id}" if session else typed_address()


def typed_address() -> str:
    """The address in the form, as a hash keyed with our secret; empty for what is none: that is refused anyway."""
    try:
        _, normalised = readers.normalise(request.form.get("email", "")[:400])
    except readers.BadEmail:
        return ""
    secret = context.settings().web.secret_key.get_secret_value()
    return f"typed:{sha256_hex(f'{secret} {normalised}')}"


limiter = Limiter(network)


class Told(NamedTuple):
    """A limit as its caller is told of it: amount in a window of seconds, what is left, seconds until it is whole."""

    kind: str
    amount: int
    window: int
    left: int
    reset: int


@dataclass(slots=True)
class _Window:
    """Calls of one caller until ``ends``, and how its headers begin."""

    ends: float
    count: int
    policy: tuple[str, str]
    begin: str


@dataclass(slots=True)
class Counter:
    """Counts calls of programs in this process alone: no check of a token may wait for a network, or for a thread."""

    most: int = 20_000  # callers that are remembered
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _windows: dict[tuple[str, str, int, int], _Window] = field(default_factory=dict)

    def more(self, kind: str, rate: str) -> Callable[[str, float], list[tuple[str, str]] | None]:
        """What counts one more call of a key that was counted lately, quicker than ``spend``.

        Given the key and the moment of the monotonic clock it returns the headers that tell what is left. Nothing is
        counted, and None returned, where ``spend`` has to see to it: the window is over, or used up, or one of several.
        """
        windows = _windows(rate)
        amount, seconds = windows[0] if len(windows) == 1 else (0, 0)

        def more(key: str, now: float) -> list[tuple[str, str]] | None:
            window = self._windows.get((kind, key, amount, seconds))
            if window is None or window.ends <= now:
                return None
            with self._lock:
                left = amount - window.count - 1
                if left < 0:
                    return None
                window.count += 1
            return [window.policy, ("RateLimit", f"{window.begin}{left};t={int(window.ends - now) + 1}")]

        return more

    def spend(self, kind: str, key: str, rate: str, told: list[Told] | None = None) -> None:
        """Counts one call, and adds to ``told`` (else to what the request tells) what is left.

        Raises TooManyRequests when there were too many.
        """
        heard = g.setdefault("rate_limits", []) if told is None else told
        now = time.monotonic()
        for amount, window in _windows(rate):
            caller = kind, key, amount, window
            with self._lock:
                found = self._windows.get(caller)
                if found is None or found.ends <= now:
                    self._make_room(now)
                    name, policy = _policy(kind, amount, window)
                    found = _Window(now + window, 0, ("RateLimit-Policy", policy), f"{name};r=")
                    self._windows[caller] = found
                found.count += 1
                reset, left = int(found.ends - now) + 1, amount - found.count
            heard.append(Told(kind, amount, window, left if left > 0 else 0, reset))
            if left < 0:
                raise TooManyRequests("This is more than may be asked.", retry_after=reset)

    def _make_room(self, now: float) -> None:
        if len(self._windows) >= self.most:
            self._windows = {caller: one for caller, one in self._windows.items() if one.ends > now}
        if len(self._windows) >= self.most:  # made-up networks without end: better forget than grow
            self._windows.clear()


def init_app(app: Flask, settings: Settings) -> None:
    """Counts where the settings say; a Redis that is gone or slow falls back to memory."""
    storage = settings.limits.storage_url.get_secret_value()
    in_memory = storage.startswith("memory")
    app.config.update(
        RATELIMIT_STORAGE_URI=storage,
        RATELIMIT_STORAGE_OPTIONS={} if in_memory else _REDIS,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=not in_memory,
        RATELIMIT_HEADERS_ENABLED=False,  # ours follow the draft of the IETF
    )
    limiter.init_app(app)
    app.extensions[_API] = Counter()
    app.register_error_handler(RateLimitExceeded, _refuse)
    app.after_request(_tell)


def for_service(app: Flask, service_id: str, told: list[Told]) -> None:
    """Counts a call of a content service. Raises TooManyRequests."""
    _api(app).spend("service", service_id, _rates(app).api, told)


def more_for_service(app: Flask) -> Callable[[str, float], list[tuple[str, str]] | None]:
    """What does the same for most calls, quicker: see ``Counter.more``."""
    return _api(app).more("service", _rates(app).api)


def for_refused_key(app: Flask, remote: str | None, told: list[Told]) -> None:
    """Counts a call whose key is not good, for the network of this address. Raises TooManyRequests."""
    _api(app).spend("network", network_of(remote), _rates(app).api_refused, told)


def _limit(name: str, key: Callable[[], str] = network) -> Callable[[View], View]:
    """A decorator for views: the limit of this setting, for whom ``key`` names; for nobody when it is empty."""
    made = limiter.limit(
        lambda: str(getattr(context.settings().limits, name)), key_func=key, exempt_when=lambda: not key()
    )
    return cast("Callable[[View], View]", made)


# the limits on pages, as their views take them
sign_in = _limit("sign_in")
sign_in_person = _limit("sign_in_person", typed_address)
sign_in_reader = _limit("sign_in_person", person)
checkout = _limit("checkout")
checkout_person = _limit("checkout_person", person)
checkout_return = _limit("checkout_return")


def _api(app: Flask) -> Counter:
    found: Counter = app.extensions[_API]
    return found


def _rates(app: Flask) -> Limits:
    settings: Settings = app.extensions["paywall"].settings
    return settings.limits


@lru_cache
def _windows(rate: str) -> list[tuple[int, int]]:
    """What a rate says: so many, in so many seconds."""
    return [(item.amount, item.get_expiry()) for item in parse_many(rate)]


def _refuse(error: RateLimitExceeded) -> Response:
    breached = [one for one in _of_page() if one.left == 0]
    wait = max((one.reset for one in breached), default=60)
    seconds, minutes = Phrase("%(number)s seconds", number=wait), Phrase("%(number)s minutes", number=-(-wait // 60))
    text = N_("Too many tries in a short time. Wait %(time)s, then try again.")
    message = Phrase(text, time=seconds if wait < 100 else minutes)
    return web.answer(TooManyRequests(message, retry_after=wait))


def _of_page() -> list[Told]:
    """What Flask-Limiter counted for this request; nothing when its Redis went away in between."""
    try:
        return [_told(one) for one in limiter.current_limits]
    except StorageError:
        return []


def _told(one: RequestLimit) -> Told:
    kind, window = one.request_args[0].partition(":")[0], one.limit.get_expiry()
    return Told(kind, one.limit.amount, window, max(0, one.remaining), max(1, int(one.reset_at - time.time())))


def _tell(response: Response) -> Response:
    response.headers.update(headers([*_of_page(), *g.get("rate_limits", ())]))
    return response


def headers(counted: Iterable[Told]) -> dict[str, str]:
    """Draft-ietf-httpapi-ratelimit-headers-10: each limit's policy, and what is left of it."""
    policies, left = dict[str, str](), dict[str, str]()
    for kind, amount, window, rest, reset in counted:
        if kind in _OPEN:
            name, policy = _policy(kind, amount, window)
            policies[name] = policy
            left[name] = f"{name};r={rest};t={reset}"
    if not left:
        return {}
    return {"RateLimit-Policy": ", ".join(policies.values()), "RateLimit": ", ".join(left.values())}


def as_pairs(counted: list[Told]) -> list[tuple[str, str]]:
    """The same as an answer's list of headers; quick for one limit, which a content service usually has."""
    if len(counted) != 1:
        return list(headers(counted).items())
    ((kind, amount, window, rest, reset),) = counted
    if kind not in _OPEN:
        return []
    name, policy = _policy(kind, amount, window)
    return [("RateLimit-Policy", policy), ("RateLimit", f"{name};r={rest};t={reset}")]


@lru_cache
def _policy(kind: str, amount: int, window: int) -> tuple[str, str]:
    name = f'"{kind}-{window}"'
    return name, f"{name};q={amount};w={window}"
