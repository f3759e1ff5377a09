"""Certification: kinds, requirements, certificates and waivers, written once. What people were
certified for so far becomes certificates.

Revision ID: 0022
Revises: 0021
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
SAMPLE = "EXISTS (SELECT FROM person WHERE id = OLD.{column} AND sample)"
OF_A_SAMPLE = {
    "certification_requirement": SAMPLE.format(column="person_id"),
    "certification_requirement_end": SAMPLE.format(column="person_id")
    + " OR EXISTS (SELECT FROM certification_requirement AS of JOIN person ON person.id ="
    " of.person_id WHERE of.id = OLD.requirement_id AND person.sample)",
    "certificate": SAMPLE.format(column="person_id"),
    "certificate_revocation": "EXISTS (SELECT FROM certificate AS of JOIN person ON person.id ="
    " of.person_id WHERE of.id = OLD.certificate_id AND person.sample)",
    "certification_waiver": SAMPLE.format(column="person_id"),
    "certification_waiver_end": "EXISTS (SELECT FROM certification_waiver AS of JOIN person ON"
    " person.id = of.person_id WHERE of.id = OLD.waiver_id AND person.sample)",
}
"""Which rows may go."""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "certification_kind",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("months_valid", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_certification_kind")),
    )
    op.create_table(
        "certification_requirement",
        sa.Column("id", ID, nullable=False),
        sa.Column("required_of", WORD, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tier", WORD, nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("effect", WORD, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        _to("certification_requirement", "kind", "certification_kind", "key"),
        _to("certification_requirement", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_requirement")),
    )
    op.create_table(
        "certification_requirement_end",
        sa.Column("requirement_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("replaced_by", ID, nullable=True),
        *_why(),
        _to("certification_requirement_end", "requirement_id", "certification_requirement"),
        _to("certification_requirement_end", "replaced_by", "certification_requirement"),
        _to("certification_requirement_end", "person_id", "person"),
        sa.PrimaryKeyConstraint("requirement_id", name=op.f("pk_certification_requirement_end")),
    )
    op.create_table(
        "certificate",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        _to("certificate", "person_id", "person"),
        _to("certificate", "kind", "certification_kind", "key"),
        _to("certificate", "recorded_by", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    op.create_index("ix_certificate_person_id", "certificate", ["person_id"])
    op.create_index("ix_certificate_expires", "certificate", ["expires"])
    op.create_table(
        "certificate_revocation",
        sa.Column("certificate_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_why(known=False),
        _to("certificate_revocation", "certificate_id", "certificate"),
        _to("certificate_revocation", "person_id", "person"),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate_revocation")),
    )
    op.create_table(
        "certification_waiver",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("granted_by", ID, nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        _to("certification_waiver", "person_id", "person"),
        _to("certification_waiver", "kind", "certification_kind", "key"),
        _to("certification_waiver", "granted_by", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_waiver")),
    )
    op.create_index("ix_certification_waiver_person_id", "certification_waiver", ["person_id"])
    op.create_table(
        "certification_waiver_end",
        sa.Column("waiver_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_why(),
        _to("certification_waiver_end", "waiver_id", "certification_waiver"),
        _to("certification_waiver_end", "person_id", "person"),
        sa.PrimaryKeyConstraint("waiver_id", name=op.f("pk_certification_waiver_end")),
    )
    # A decision rests on them, and is looked up long afterwards. Only those of samples go.
    for table, of_a_sample in OF_A_SAMPLE.items():
        op.execute(
            f"""
            CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF {of_a_sample} THEN RETURN OLD; END IF;
                END IF;
                RAISE EXCEPTION 'what is written of certificates is never changed or deleted';
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays_whole BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
        )
    _move_over()
    op.drop_column("person", "certifications")


def _move_over() -> None:
    """Every certification that somebody has, as a certificate without an end. Nobody wrote down
    since when: since they came, so that reports of days before do not show a gap. There is always
    a kind responsible-ai: the regulated pathway asks for it."""
    op.execute(
        "INSERT INTO certification_kind (key, title, issuer) "
        "SELECT DISTINCT btrim(held), btrim(held), '' FROM person, unnest(certifications) AS held "
        "WHERE btrim(held) NOT IN ('', 'responsible-ai')"
    )
    op.execute(
        "INSERT INTO certification_kind (key, title, issuer) "
        "VALUES ('responsible-ai', 'Responsible AI', '')"
    )
    op.execute(
        "INSERT INTO certificate (id, person_id, kind, issuer, evidence, issued, recorded_at) "
        "SELECT gen_random_uuid(), id, kind, 'moved over', '', "
        "CAST(created_at AT TIME ZONE 'UTC' AS date), created_at FROM (SELECT DISTINCT person.id, "
        "person.created_at, btrim(held) AS kind FROM person, unnest(certifications) AS held) "
        "AS had WHERE kind <> ''"
    )


def _why(*, known: bool = True) -> tuple["sa.Column[str]", "sa.Column[str]", "sa.Column[datetime]"]:
    return (
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=not known),
        sa.Column("recorded_at", TIME, nullable=False),
    )


def _to(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.{key}"], name=op.f(f"fk_{table}_{column}_{other}")
    )


def downgrade() -> None:
    """Back to the schema before: people are certified for what they hold today."""
    op.add_column(
        "person",
        sa.Column(
            "certifications",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.execute(
        "UPDATE person SET certifications = (SELECT coalesce(array_agg(DISTINCT kind), '{}') "
        "FROM certificate LEFT JOIN certificate_revocation AS revoked ON certificate_id = id "
        "WHERE certificate.person_id = person.id AND issued <= current_date "
        "AND (expires IS NULL OR expires >= current_date) "
        "AND (revoked.day IS NULL OR revoked.day > current_date))"
    )
    op.alter_column("person", "certifications", server_default=None)
    for table in reversed(OF_A_SAMPLE):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stays()")
    op.drop_table("certification_kind")
