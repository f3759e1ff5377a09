"""What reports read: cases in versions, counts, locked verdicts, forecasts, imported steps.

Imported history moves to `case_version`, where live use cases stand as well. The counts are not
filled here: `headway migrate` and `headway up` do that afterwards.

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


EPOCH = "'1970-01-01 00:00:00+00'::timestamptz"


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "case_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("business_unit", sa.Text(), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("pathway_version", sa.Integer(), nullable=False),
        sa.Column("evidence", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("estimate_days", sa.Float(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=False),
        *_by_day(
            "started_day", "started_into", "started_at - '1970-01-01 00:00:00+00'::timestamptz"
        ),
        *_by_day("ended_day", "ended_into", f"ended_at - {EPOCH}"),
        *_by_day("took_days", "took_into", "ended_at - started_at"),
        sa.Column(
            "mix",
            sa.Integer(),
            sa.Computed(
                "('x' || left(md5(source || '/' || case_id), 8))::bit(32)::int", persisted=True
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_version")),
    )
    _move_cases_in()
    op.create_index(
        "ix_case_version_business_unit_mix", "case_version", ["business_unit", "mix"], unique=False
    )
    op.create_index("ix_case_version_cohort_mix", "case_version", ["cohort", "mix"], unique=False)
    op.create_index(
        "ix_case_version_cohort_tier_started_at",
        "case_version",
        ["cohort", "tier", "started_at"],
        unique=False,
    )
    op.create_index(
        "ix_case_version_now",
        "case_version",
        ["source", "case_id"],
        unique=True,
        postgresql_where="known_until = 'infinity'",
    )
    op.create_table(
        "observation",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "known_from", name=op.f("pk_observation")),
    )
    op.execute(
        "INSERT INTO observation SELECT source, timestamptz '-infinity', max(observed_until) "
        "FROM imported_case GROUP BY source"
    )
    op.drop_index(op.f("ix_imported_case_cohort"), table_name="imported_case")
    op.drop_table("imported_case")
    op.create_table(
        "imported_step",
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("rework", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["case_version.id"],
            name=op.f("fk_imported_step_version_id_case_version"),
        ),
        sa.PrimaryKeyConstraint("version_id", "sequence", name=op.f("pk_imported_step")),
    )
    _create_counts()
    op.create_table(
        "locked_verdict",
        sa.Column("quarter", sa.String(length=7), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "baseline", name=op.f("pk_locked_verdict")),
    )
    op.execute(
        """
        CREATE FUNCTION locked_verdict_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a locked verdict is never changed or deleted';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER locked_verdict_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON locked_verdict "
        "FOR EACH STATEMENT EXECUTE FUNCTION locked_verdict_stays()"
    )
    op.create_table(
        "forecast",
        sa.Column("use_case_id", sa.String(length=36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at_submission", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("p50_days", sa.Float(), nullable=False),
        sa.Column("p85_days", sa.Float(), nullable=False),
        sa.Column("reaches_production", sa.Float(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_forecast_use_case_id_use_case")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "made_at", name=op.f("pk_forecast")),
    )


def _by_day(whole: str, rest: str, length: str) -> tuple[sa.Column[int], sa.Column[int]]:
    microseconds = f"extract(epoch FROM {length}) * 1000000::numeric"
    days = f"floor({microseconds} / 86400000000)::int"
    into_day = f"mod(mod({microseconds}, 86400000000) + 86400000000, 86400000000)::bigint"
    return (
        sa.Column(whole, sa.Integer(), sa.Computed(days, persisted=True)),
        sa.Column(rest, sa.BigInteger(), sa.Computed(into_day, persisted=True)),
    )


def _move_cases_in() -> None:
    columns = (
        "source, case_id, cohort, tier, business_unit, pathway, pathway_version, evidence, "
        "estimate_days, started_at, ended_at, outcome, known_from, known_until"
    )
    op.execute(
        f"""
        INSERT INTO case_version ({columns})
        SELECT source, case_id, cohort, tier, business_unit, '', 0, '{{}}', NULL,
               started_at, ended_at, outcome, timestamptz '-infinity', timestamptz 'infinity'
        FROM imported_case
        UNION ALL
        SELECT '', id, 'intake', tier, business_unit, pathway, pathway_version,
               ARRAY(SELECT DISTINCT subject FROM transition
                     WHERE use_case_id = use_case.id AND command = 'attach' ORDER BY subject),
               estimate_days, submitted_at, ended_at, outcome, submitted_at, timestamptz 'infinity'
        FROM use_case
        """  # noqa: S608 - column names, and nothing from outside
    )


def _create_counts() -> None:
    line = (
        ("source", sa.Text()),
        ("cohort", sa.Text()),
        ("tier", sa.Text()),
        ("stage", sa.Text()),
        ("holder", sa.Text()),
        ("working", sa.Boolean()),
        ("rework", sa.Boolean()),
        ("detail", sa.Text()),
    )
    op.create_table(
        "tally_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in line),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("microseconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_entry")),
    )
    op.create_table(
        "tally_book",
        sa.Column("kind", sa.String(length=32), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in line),
        sa.Column("days", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("n", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("microseconds", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("kind", *(name for name, _ in line), name=op.f("pk_tally_book")),
    )


def downgrade() -> None:
    """Back from this schema. What only it could hold is lost: versions, steps, verdicts."""
    op.create_table(
        "imported_case",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("business_unit", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("observed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "case_id", name=op.f("pk_imported_case")),
    )
    op.create_index(op.f("ix_imported_case_cohort"), "imported_case", ["cohort"], unique=False)
    op.execute(
        """
        INSERT INTO imported_case
        SELECT source, case_id, cohort, tier, business_unit, started_at, ended_at, outcome,
               greatest(coalesce(ended_at, started_at), observed_until)
        FROM case_version
        LEFT JOIN (SELECT source, max(observed_until) AS observed_until
                   FROM observation GROUP BY source) AS seen USING (source)
        WHERE source <> '' AND known_until = 'infinity'
        """
    )
    op.drop_table("forecast")
    op.drop_table("locked_verdict")
    op.execute("DROP FUNCTION locked_verdict_stays()")
    op.drop_table("tally_book")
    op.drop_table("tally_entry")
    op.drop_table("imported_step")
    op.drop_table("observation")
    op.drop_table("case_version")
