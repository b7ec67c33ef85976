"""How long each entry of the ledger was the last word, so that what was known on a past day is found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0019_known"
down_revision = "0018_lists"
branch_labels = None
depends_on = None

_GROUP = ["source", "plan", "state", "reason", "renews"]
_GROUP_BEFORE = _GROUP[:4]
_DATES = ("created_at", "starts_at", "until")
_HELD = ["entitlement_id", "learned_at", "superseded_at"]
_STALE = sa.text("stale_for IS NOT NULL")

# a size is n for what lasted less than 2^n minutes; 32 for what has not ended
_SECONDS = {
    "sqlite": "CAST(strftime('%s', {0}) AS integer)",
    "postgresql": "CAST(floor(extract(epoch FROM {0})) AS bigint)",
}
_SKEW = {  # SQLite's own functions keep no microseconds
    "sqlite": r"strftime('%Y-%m-%d %H\:%M\:%S', starts_at, '-300 seconds') || substr(starts_at, 20)",
    "postgresql": "starts_at - interval '300 seconds'",
}
_SIZES = " ".join(f"WHEN {{0}} < {60 * 2**size} THEN {size}" for size in range(26)) + " ELSE 26"
_FILL = """
INSERT INTO ledger_periods (entry_id, entitlement_id, source, plan, state, reason, renews, created_at, starts_at,
    until, learned_at, superseded_at, lasted, stale_at, stale_for)
SELECT id, entitlement_id, source, plan, state, reason, renews, created_at, starts_at, until, learned_at, superseded_at,
    CASE WHEN superseded_at IS NULL THEN 32 {lasted} END,
    CASE WHEN superseded_at IS NULL OR stale_at < superseded_at THEN stale_at END,
    CASE WHEN stale_at IS NULL THEN NULL WHEN superseded_at IS NULL THEN 32
        WHEN stale_at >= superseded_at THEN NULL {stale_for} END
FROM (
    SELECT *, {end} - {learned} AS lasts, {end} - {stale} AS stales FROM (
        SELECT l.*, min(l.learned_at) OVER (PARTITION BY l.entitlement_id ORDER BY l.id
                ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS superseded_at,
            CASE
                WHEN l.state = 'ended' OR l.starts_at IS NULL OR l.paid_until IS NULL OR l.until IS NULL THEN NULL
                WHEN l.state = 'pending' THEN {skew}
                WHEN l.reason = 'paid' AND (l.in_dunning OR l.renews) AND l.paid_until < l.until THEN l.paid_until
                ELSE l.until
            END AS stale_at
        FROM (
            SELECT l.id, l.entitlement_id, e.source, coalesce(l.plan, e.plan) AS plan, l.state, l.reason, e.created_at,
                l.starts_at, l.paid_until, l.until, l.in_dunning, l.renews, l.learned_at
            FROM ledger l JOIN entitlements e ON e.id = l.entitlement_id
        ) AS l
    ) AS spoken
) AS timed
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ledger_periods",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False),
        sa.Column("entitlement_id", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("starts_at", moment, nullable=True),
        sa.Column("until", moment, nullable=True),
        sa.Column("learned_at", moment, nullable=False),
        sa.Column("superseded_at", moment, nullable=True),
        sa.Column("lasted", sa.SmallInteger(), nullable=False),
        sa.Column("stale_at", moment, nullable=True),
        sa.Column("stale_for", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_periods")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger.id"], name=op.f("fk_ledger_periods_entry_id_ledger"), ondelete="CASCADE"
        ),
    )
    _fill(op.get_bind().dialect.name)
    op.create_index(op.f("ix_ledger_periods_entitlement_id"), "ledger_periods", ["entitlement_id"])
    for date in _DATES:
        op.create_index(f"ix_ledger_periods_listed_{date}", "ledger_periods", [*_GROUP, date, *_HELD])
    op.create_index("ix_ledger_periods_lasted", "ledger_periods", [*_GROUP, "lasted", "learned_at", "superseded_at"])
    name = "ix_ledger_periods_stale"
    columns = ["stale_for", "stale_at"]
    op.create_index(name, "ledger_periods", columns, sqlite_where=_STALE, postgresql_where=_STALE)
    _list_by(_GROUP)


def _list_by(group: list[str]) -> None:
    """What is in the groups of entitlements, whose indexes are those of 0018."""
    for date in _DATES:
        op.drop_index(f"ix_entitlements_listed_{date}", table_name="entitlements")
        op.create_index(f"ix_entitlements_listed_{date}", "entitlements", [*group, date, "id"])


def _fill(database: str) -> None:
    seconds = _SECONDS[database]
    dates = {"end": "superseded_at", "learned": "learned_at", "stale": "stale_at"}
    parts = {name: seconds.format(column) for name, column in dates.items()}
    sizes = {"lasted": _SIZES.format("lasts"), "stale_for": _SIZES.format("stales")}
    op.execute(sa.text(_FILL.format(skew=_SKEW[database], **parts, **sizes)))


def downgrade() -> None:
    _list_by(_GROUP_BEFORE)
    op.drop_table("ledger_periods")
