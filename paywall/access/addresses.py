"""Which address the lane answers with what."""

from collections.abc import Mapping
from typing import Final

from paywall.access import again, revoked, service
from paywall.access.answers import Handler

VERIFY: Final = "/v1/tokens/verify"
INTROSPECT: Final = "/v1/introspect"
AUTHORIZE: Final = "/v1/authorize"
REVOCATIONS: Final = "/v1/revocations"

HOT: Final[Mapping[tuple[str, str], Handler]] = {
    ("POST", VERIFY): service.verify,
    ("POST", INTROSPECT): service.introspect,
    ("GET", AUTHORIZE): service.authorize,
    ("HEAD", AUTHORIZE): service.authorize,
    ("GET", REVOCATIONS): revoked.page,
}

# what a page of a content site asks for again and again
RECALLED: Final[Mapping[tuple[str, str], type[again.Again]]] = {
    ("POST", VERIFY): again.Verify,
    ("GET", AUTHORIZE): again.Authorize,
}
