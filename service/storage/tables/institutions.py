"""Institutions and what they know: units, organisations, relationships, accounts, credentials."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.accounts import APPOINTMENT
from service.domain.actors import Role, Sight
from service.domain.relationships import ORGANISATION_KINDS, RELATIONSHIP
from service.domain.units import UNIT
from service.storage.tables.columns import (
    belongs,
    c,
    instant,
    item_table,
    looked_at,
    one_of,
    shared_table,
    tenant_table,
)

institutions = shared_table(
    "institutions",
    c("id", Uuid, primary_key=True),
    c("name_native"),
    c("name_latin"),
    c("country"),
    c("time_zone"),
    instant("created_at"),
)
organisations = shared_table(
    "organisations",
    c("id", Uuid, primary_key=True),
    c("kind"),
    c("name_native"),
    c("name_latin"),
    c("country"),
    c("registration_no", null=True),
    c("time_zone"),
    c("natural_person", Boolean),
    c("chinese_funded", Boolean),
    instant("created_at"),
    one_of("kind", ORGANISATION_KINDS),
    UniqueConstraint("country", "registration_no"),
)
accounts = shared_table(
    "accounts",
    c("id", Uuid, primary_key=True),
    c("kind"),
    c("email", null=True),
    c("name"),
    c("password_hash", null=True),
    c("locale"),
    instant("created_at"),
    instant("disabled_at", null=True),
    c("made_by", Uuid, null=True),
    one_of("kind", ["person", "machine"]),
    CheckConstraint("email = lower(email)", name="email_lower"),
    UniqueConstraint("email"),
)
shared_accounts = shared_table(
    "shared_accounts",
    c("account_id", Uuid, primary_key=True),
    ForeignKeyConstraint(["account_id"], ["accounts.id"]),
)
"""Accounts that another institution than the one that made them appointed too: no administrator resets those."""
invitations = shared_table(
    "invitations",
    c("digest", LargeBinary, primary_key=True),
    c("account_id", Uuid),
    c("purpose"),
    instant("expires_at"),
    instant("used_at", null=True),
    ForeignKeyConstraint(["account_id"], ["accounts.id"]),
    Index(None, "account_id"),
    one_of("purpose", ["invitation", "reset"]),
)
units = item_table(
    "units",
    UNIT,
    c("name_native"),
    c("name_latin"),
    *belongs("parent_id", "units", null=True),
    stream="institution_id",
)
relationships = item_table(
    "relationships",
    RELATIONSHIP,
    c("organisation_id", Uuid),
    ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
    Index(None, "organisation_id"),
    c("role"),
    c("licence_no", null=True),
    c("valid_from", Date, null=True),
    c("valid_until", Date, null=True),
    c("facts", JSONB),
    *looked_at("relationships"),
    UniqueConstraint("institution_id", "organisation_id", "role"),
    stream="id",
)
appointments = item_table(
    "appointments",
    APPOINTMENT,
    c("account_id", Uuid),
    ForeignKeyConstraint(["account_id"], ["accounts.id"]),
    Index(None, "account_id"),
    c("sight"),
    c("roles", ARRAY(Text)),
    c("organisation_id", Uuid, null=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
    Index(None, "organisation_id"),
    c("person_ids", ARRAY(Uuid)),
    c("unit_ids", ARRAY(Uuid)),
    instant("ended_at", null=True),
    one_of("sight", [s.value for s in Sight]),
    CheckConstraint(f"roles <@ ARRAY[{', '.join(repr(r.value) for r in Role)}]::text[]", name="roles_known"),
    Index(
        "appointments_one_held",
        "institution_id",
        "account_id",
        "sight",
        unique=True,
        postgresql_where=text("state = 'held'"),
    ),
    stream="id",
)
credentials = tenant_table(
    "credentials",
    c("digest", LargeBinary),
    c("id", Uuid),
    c("kind"),
    c("sight"),
    *belongs("appointment_id", "appointments"),
    c("name", null=True),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", null=True),
    one_of("kind", ["session", "key"]),
    UniqueConstraint("institution_id", "id"),
    key=("digest",),
)
