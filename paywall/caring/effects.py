"""What an action does to a reader's access, in words, by the same rule that decides it afterwards."""

from collections.abc import Mapping, Sequence

from paywall.caring.shapes import Desk
from paywall.domain.entitlements import Terms, union
from paywall.explaining.moments import ends_after
from paywall.storage import entitlements


def access(
    desk: Desk, reader_id: str, changed: Mapping[str, Terms | None], added: Mapping[str, Terms] | None = None
) -> tuple[str, str]:
    """The access now and afterwards. ``changed``: by the source's id, what it gives then; ``added``: by plan."""
    plans = desk.settings.plans
    rows = [row for row in entitlements.of_reader(reader_id) if row.plan in plans]
    before = [(plans[row.plan].features, entitlements.terms_of(row)) for row in rows]
    then = [(features, changed.get(row.source_id, terms)) for (features, terms), row in zip(before, rows, strict=True)]
    after = [(features, terms) for features, terms in then if terms is not None]
    after += [(plans[plan].features, terms) for plan, terms in (added or {}).items()]
    return _told(before, desk), _told(after, desk)


def _told(gives: Sequence[tuple[tuple[str, ...], Terms]], desk: Desk) -> str:
    found = union(gives, desk.now)
    if not found.allowed or found.until is None:
        return "May not read."
    renews = any(terms.renews for _, terms in gives if terms.state_at(desk.now).grants)
    return f"May read; access ends {ends_after(found.until, desk.settings.zone)}{' unless it renews' * renews}."
