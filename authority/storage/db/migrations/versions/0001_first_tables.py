"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "authorizations",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("compact", sa.Text(), nullable=False),
        sa.Column("trust_file", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_authorizations")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("handle", sa.String(length=22), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.Column("member", sa.Text(), nullable=True),
        sa.Column("group", sa.Text(), nullable=True),
        sa.Column("machine", sa.Text(), nullable=True),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("os_user", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_handle"), "events", ["handle"], unique=False)
    op.create_index(op.f("ix_events_kind"), "events", ["kind"], unique=False)
    op.create_table(
        "member_counts",
        sa.Column("user_type", sa.String(length=64), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_type", name=op.f("pk_member_counts")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("username_key", sa.String(length=128), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("user_type", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("vendor_access", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("download_permission", sa.String(length=16), server_default="none", nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("username_key", name=op.f("uq_members_username_key")),
    )
    op.create_index(op.f("ix_members_user_type"), "members", ["user_type"], unique=False)
    op.create_table(
        "offline_rules",
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=True),
        sa.Column("longest_days", sa.Integer(), nullable=True),
        sa.Column("default_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("level", "subject", "product", name=op.f("pk_offline_rules")),
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trust_file", sa.Text(), nullable=False),
        sa.Column("status_uri", sa.Text(), nullable=False),
        sa.Column("status_size", sa.Integer(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "pool_rules",
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("feature", sa.String(length=64), nullable=False),
        sa.Column("group_name", sa.String(length=128), nullable=False),
        sa.Column("low_water", sa.Integer(), nullable=False),
        sa.Column("most_borrowed", sa.Integer(), nullable=True),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=True),
        sa.Column("from_higher", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("product", "feature", "group_name", name=op.f("pk_pool_rules")),
    )
    op.create_table(
        "pools",
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("feature", sa.String(length=64), nullable=False),
        sa.Column("assigned", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("product", "feature", name=op.f("pk_pools")),
    )
    op.create_table(
        "preferences",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_preferences")),
    )
    op.create_table(
        "status_lists",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("packed", sa.Text(), nullable=False),
        sa.Column("compact", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("authorization_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_status_lists")),
    )
    op.create_table(
        "assigned_extensions",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_assigned_extensions_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", "product", "extension", name=op.f("pk_assigned_extensions")),
    )
    op.create_index("ix_assigned_extensions_product_extension", "assigned_extensions", ["product", "extension"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_assignments_member_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", "product", name=op.f("pk_assignments")),
    )
    op.create_index("ix_assignments_product_level", "assignments", ["product", "level"], unique=False)
    op.create_table(
        "borrows",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.String(length=128), nullable=False),
        sa.Column("machine_source", sa.Text(), nullable=False),
        sa.Column("machine_secondary", sa.Text(), nullable=True),
        sa.Column("machine_alias", sa.Text(), nullable=True),
        sa.Column("machine_key", sa.String(length=43), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("seat_free_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("receipt_jti", sa.String(length=22), nullable=True),
        sa.Column("receipt_digest", sa.String(length=43), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_borrows_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_borrows")),
    )
    op.create_index(op.f("ix_borrows_machine_id"), "borrows", ["machine_id"], unique=False)
    op.create_index("ix_borrows_member_product", "borrows", ["member_id", "product", "seat_free_at"], unique=False)
    op.create_index(op.f("ix_borrows_receipt_digest"), "borrows", ["receipt_digest"], unique=False)
    op.create_index(op.f("ix_borrows_seat_free_at"), "borrows", ["seat_free_at"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_credentials_member_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("digest", name=op.f("uq_credentials_digest")),
    )
    op.create_index(op.f("ix_credentials_member_id"), "credentials", ["member_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("handle", sa.String(length=22), nullable=False),
        sa.Column("feature", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_holds_member_id")),
        sa.PrimaryKeyConstraint("handle", "feature", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_seats", "holds", ["product", "free_at", "feature"], unique=False)
    op.create_table(
        "member_groups",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_member_groups_member_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", "name", name=op.f("pk_member_groups")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.String(length=128), nullable=False),
        sa.Column("machine_source", sa.Text(), nullable=False),
        sa.Column("machine_alias", sa.Text(), nullable=True),
        sa.Column("machine_key", sa.String(length=43), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("active_until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("save_by", sa.BigInteger(), nullable=True),
        sa.Column("is_logged_as_ended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_sessions_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_active_until", "sessions", ["active_until"], unique=False)
    op.create_index("ix_sessions_member_active", "sessions", ["member_id", "active_until"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("jti", sa.String(length=22), nullable=False),
        sa.Column("borrow_id", sa.String(length=22), nullable=False),
        sa.Column("request_jti", sa.String(length=22), nullable=False),
        sa.Column("request_digest", sa.String(length=43), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("status_seq", sa.BigInteger(), nullable=False),
        sa.Column("authorization_seq", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["borrow_id"], ["borrows.id"], name=op.f("fk_tokens_borrow_id")),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_tokens")),
        sa.UniqueConstraint("request_jti", name=op.f("uq_tokens_request_jti")),
        sa.UniqueConstraint("status_index", name=op.f("uq_tokens_status_index")),
    )
    op.create_index(op.f("ix_tokens_borrow_id"), "tokens", ["borrow_id"], unique=False)
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"], unique=False)
