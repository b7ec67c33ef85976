"""The daily rollup of the overview; the ledger names plan and price, so that any past figure can be made again"""

import sqlalchemy as sa
from alembic import op

revision = "0017_rollup"
down_revision = "0016_finding"
branch_labels = None
depends_on = None

_RENEWALS = sa.text("change IN ('renewed', 'recovered')")
_ERASURES = sa.text("cause = 'erasure'")
_PRICES = """
UPDATE entitlements
SET amount = (SELECT s.amount FROM subscriptions s WHERE s.id = entitlements.source_id),
    currency = (SELECT s.currency FROM subscriptions s WHERE s.id = entitlements.source_id)
WHERE source = 'subscription'
"""
_LEDGER = """
UPDATE ledger
SET plan = (SELECT e.plan FROM entitlements e WHERE e.id = ledger.entitlement_id),
    amount = (SELECT e.amount FROM entitlements e WHERE e.id = ledger.entitlement_id),
    currency = (SELECT e.currency FROM entitlements e WHERE e.id = ledger.entitlement_id)
"""


def upgrade() -> None:
    _add_columns()
    op.create_index(
        "ix_ledger_renewals", "ledger", ["effective_at"], sqlite_where=_RENEWALS, postgresql_where=_RENEWALS
    )
    op.create_index(
        "ix_ledger_erasures", "ledger", ["entitlement_id"], sqlite_where=_ERASURES, postgresql_where=_ERASURES
    )
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closing", sa.Boolean(), nullable=False),
        sa.Column("measure", sa.String(length=12), nullable=False),
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "closing", "measure", "plan", "currency", "cause", name=op.f("pk_daily_figures")
        ),
    )
    op.create_table(
        "rollups",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("ledger_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollups")),
    )


def _add_columns() -> None:
    """The price at hand is taken for that of the past too, which nobody wrote down."""
    for name, kind in (("amount", sa.Integer()), ("currency", sa.String(length=3))):
        op.add_column("entitlements", sa.Column(name, kind, nullable=True))
        op.add_column("ledger", sa.Column(name, kind, nullable=True))
    op.add_column("ledger", sa.Column("plan", sa.String(length=40), nullable=True))
    op.execute(_PRICES)
    op.execute(_LEDGER)


def downgrade() -> None:
    op.drop_table("rollups")
    op.drop_table("daily_figures")
    op.drop_index("ix_ledger_erasures", table_name="ledger")
    op.drop_index("ix_ledger_renewals", table_name="ledger")
    for name in ("plan", "amount", "currency"):
        op.drop_column("ledger", name)
    for name in ("amount", "currency"):
        op.drop_column("entitlements", name)
