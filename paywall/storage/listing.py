"""The indexes of the list of entitlements: rows in groups, each in the order of a date; who reads past a payment."""

from sqlalchemy import Index

from paywall.storage.database import only
from paywall.storage.models import Entitlement, Subscription

# as SQL, since no database uses a partial index for a value that is bound later
BEING_READ = "state = 'active' AND reason <> 'renewal_due'"
DOUBLE = "duplicate_of IS NOT NULL"

GROUPED_BY = (Entitlement.source, Entitlement.plan, Entitlement.state, Entitlement.reason, Entitlement.renews)

Index("ix_entitlements_listed_created_at", *GROUPED_BY, Entitlement.created_at, Entitlement.id)
Index("ix_entitlements_listed_starts_at", *GROUPED_BY, Entitlement.starts_at, Entitlement.id)
Index("ix_entitlements_listed_until", *GROUPED_BY, Entitlement.until, Entitlement.id)
Index("ix_entitlements_being_read", Entitlement.paid_until, **only(BEING_READ))
Index("ix_subscriptions_double", Subscription.id, **only(DOUBLE))
