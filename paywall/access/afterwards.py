"""What is counted and told of answers, beside the requests and many at a time; or at once."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from flask import Flask

from paywall import done, logs
from paywall.access.asking import Asked
from paywall.access.grounds import Use
from paywall.done import Sort
from paywall.tokens import use

# the kind of request; how many seconds it took, and when, in Unix seconds, it left; what was asked of a token, if
# anything; the id of the service that asked, if it was one; and when it came, by the service's clock
News = tuple[Sort, float, float, Use | None, str, datetime]


def tell(app: Flask, news: Sequence[News]) -> None:
    """Counts the requests and what was asked of tokens, and logs their lines."""
    sorts, seconds, ats, uses, services, moments = zip(*news, strict=True)
    done.tell(sorts, seconds, ats)
    _count(app, uses, services, moments)
    if logs.ready("paywall.access").is_enabled_for(logging.DEBUG):
        lines = zip(uses, services, ats, strict=True)
        logs.write(_checked(asked, service, at) for asked, service, at in lines if asked is not None)


def _count(app: Flask, uses: Sequence[Use | None], services: Sequence[str], moments: Sequence[datetime]) -> None:
    """By the day of the first of them, unless midnight lies between the first and the last."""
    tally, first, last = use.of(app), min(moments), max(moments)
    if not tally.are_of_one_day(first, last):
        for asked, service, moment in zip(uses, services, moments, strict=True):
            _count(app, (asked,), (service,), (moment,))
        return
    for (asked, service), number in Counter(zip(uses, services, strict=True)).items():
        if asked is not None:
            tally.answered(asked.address, asked.outcome, service, asked.features, first, number)


def _checked(asked: Use, service: str, at: float) -> str:
    """The line of a token that was looked at."""
    when = {"event": "token_checked", "level": "debug", "timestamp": done.written(at)}
    return logs.rendered(_told(asked, service) | when)


def note(asked: Asked) -> None:
    """The same at once for one that the lane did not answer."""
    if asked.use is None:
        return
    service = asked.service.id if asked.service else ""
    told = asked.use
    use.of(asked.app).answered(told.address, told.outcome, service, told.features, asked.now)
    logs.ready("paywall.access").debug("token_checked", **_told(told, service))


def _told(asked: Use, service: str) -> dict[str, str | None]:
    reason = None if asked.outcome == "allowed" else asked.outcome
    return {"address": asked.address, "service": service or None, "reason": reason}
