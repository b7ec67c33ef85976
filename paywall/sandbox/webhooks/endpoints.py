"""Webhook endpoints as the account keeps them: the one of the command line, and those made by API."""

from paywall.sandbox.config import API_VERSION, SandboxConfig
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.ids import random_text
from paywall.sandbox.state.store import Store

# The endpoint of the command line keeps its id over restarts; events wait under it until it has an address.
CONFIGURED = "we_1ConfiguredAtTheStart00"
EVERYTHING = "*"
ROLL_SECONDS = 24 * 3600


def new_secret() -> str:
    """Return a fresh signing secret."""
    return f"whsec_{random_text(32)}"


def endpoint_shape(endpoint_id: str, url: str, secret: str, now: int) -> Json:
    """Return an endpoint that is told everything."""
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": now,
        "description": None,
        "enabled_events": [EVERYTHING],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
    }


def configure(store: Store, config: SandboxConfig, now: int) -> None:
    """Make the stored endpoint of the command line equal to the settings."""
    with store.unit():
        known = store.get("webhook_endpoint", CONFIGURED)
        if not config.webhook_url:
            store.remove(CONFIGURED)
        elif known:
            store.put(known | {"url": config.webhook_url, "_secret": config.webhook_secret})
        else:
            shape = endpoint_shape(CONFIGURED, config.webhook_url, config.webhook_secret, now)
            store.add(shape | {"api_version": API_VERSION, "description": "configured at start"})


def endpoints(store: Store) -> list[Json]:
    """Return every endpoint, the oldest first."""
    return store.find("webhook_endpoint", oldest_first=True)


def wants(endpoint: Json, kind: str) -> bool:
    """Return whether an endpoint is to be told about events of this type."""
    told = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and (EVERYTHING in told or kind in told)


def targets(store: Store, kind: str) -> list[str]:
    """Return the ids of the endpoints that an event of this type goes to; with none at all it waits for the first."""
    known = endpoints(store)
    return [one["id"] for one in known if wants(one, kind)] if known else [CONFIGURED]


def secrets_of(endpoint: Json, at: float) -> tuple[str, ...]:
    """Return the secrets to sign with at a wall time: during a roll the one before it counts as well."""
    old = endpoint.get("_old_secret")
    return (endpoint["_secret"], old) if old and at < endpoint["_old_until"] else (endpoint["_secret"],)


def roll(store: Store, endpoint: Json, at: float, keep: float = ROLL_SECONDS) -> str:
    """Give an endpoint a new secret and return it; the old one signs too for `keep` seconds of wall time."""
    fresh = new_secret()
    store.put(endpoint | {"_secret": fresh, "_old_secret": endpoint["_secret"], "_old_until": at + keep})
    return fresh
