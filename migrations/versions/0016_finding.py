"""Numbers on invoices and receipts; indexes that find readers by the beginning of a text"""

import sqlalchemy as sa
from alembic import op

revision = "0016_finding"
down_revision = "0015_use"
branch_labels = None
depends_on = None

_BY_LETTER = "varchar_pattern_ops"
_CHANGED = (
    ("readers", "email_normalised"),
    ("former_addresses", "email_normalised"),
    ("subscriptions", "customer_id"),
    ("invoice_payments", "payment_intent_id"),
    ("invoice_payments", "charge_id"),
)
_NUMBERS = ("number", "receipt_number")
_ADDED = (
    *(("payments", column, f"ix_payments_{column}") for column in _NUMBERS),
    ("readers", "id", "ix_readers_id_by_letter"),
    ("readers", "customer_id", "ix_readers_customer_id_by_letter"),
    ("subscriptions", "id", "ix_subscriptions_id_by_letter"),
    ("payments", "invoice_id", "ix_payments_invoice_id_by_letter"),
    ("refunds", "id", "ix_refunds_id_by_letter"),
    ("disputes", "id", "ix_disputes_id_by_letter"),
)


def upgrade() -> None:
    for column in _NUMBERS:
        op.add_column("payments", sa.Column(column, sa.String(length=255), nullable=True))
    for table, column, name in _ADDED:
        op.create_index(name, table, [column], postgresql_ops={column: _BY_LETTER})
    for table, column in _CHANGED:
        _make_again(table, column, postgresql_ops={column: _BY_LETTER})


def downgrade() -> None:
    for table, column in _CHANGED:
        _make_again(table, column)
    for table, _, name in _ADDED:
        op.drop_index(name, table)
    for column in _NUMBERS:
        op.drop_column("payments", column)


def _make_again(table: str, column: str, **options: dict[str, str]) -> None:
    """An index that is there, by letter or as the database sorts; SQLite always goes by letter."""
    if op.get_bind().dialect.name == "postgresql":
        name = f"ix_{table}_{column}"
        op.drop_index(name, table)
        op.create_index(name, table, [column], **options)
