"""Any filtered list of entitlements begins, and goes on from any place, by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0018_lists"
down_revision = "0017_rollup"
branch_labels = None
depends_on = None

_GROUP = ["source", "plan", "state", "reason"]
_DATES = ("created_at", "starts_at", "until")
_BEING_READ = sa.text("state = 'active' AND reason <> 'renewal_due'")
_DOUBLE = sa.text("duplicate_of IS NOT NULL")


def upgrade() -> None:
    for date in _DATES:
        op.create_index(f"ix_entitlements_listed_{date}", "entitlements", [*_GROUP, date, "id"])
    name = "ix_entitlements_being_read"
    op.create_index(name, "entitlements", ["paid_until"], sqlite_where=_BEING_READ, postgresql_where=_BEING_READ)
    name = "ix_subscriptions_double"
    op.create_index(name, "subscriptions", ["id"], sqlite_where=_DOUBLE, postgresql_where=_DOUBLE)


def downgrade() -> None:
    op.drop_index("ix_subscriptions_double", table_name="subscriptions")
    op.drop_index("ix_entitlements_being_read", table_name="entitlements")
    for date in reversed(_DATES):
        op.drop_index(f"ix_entitlements_listed_{date}", table_name="entitlements")
