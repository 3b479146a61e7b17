"""Streams, the record of events and its feed, keys of idempotency, keys of persons, who opened what."""

from sqlalchemy import BigInteger, Date, Identity, Index, Integer, LargeBinary, UniqueConstraint, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from service.domain.journey import STAGES
from service.storage.tables.columns import (
    FORGETTABLE,
    WRITTEN_ONCE,
    Xid8,
    c,
    instant,
    one_of,
    tenant_table,
)

STREAMS = (
    "person",
    "placement_request",
    "intake",
    "sitting",
    "training_class",
    "programme",
    "relationship",
    "account",
    "institution",
    "import",
)
"""Kinds of stream. Shared ones (a request, an intake, a class) are locked before persons."""

heads = tenant_table(
    "heads",
    c("stream_id", Uuid),
    c("kind"),
    c("version", BigInteger),
    c("seq", BigInteger),
    c("chain_head", LargeBinary),
    c("stage", null=True),
    one_of("kind", STREAMS),
    one_of("stage", STAGES),
    Index("heads_by_stage", "institution_id", "stage"),
    key=("stream_id",),
    postgresql_with={"fillfactor": "70"},
)
stream_keys = tenant_table(
    "stream_keys",
    c("stream_id", Uuid),
    c("wrapped", LargeBinary),
    c("key_id"),
    key=("stream_id",),
)
FORGETTABLE.add("stream_keys")
events = tenant_table(
    "events",
    c("stream_id", Uuid),
    c("seq", BigInteger),
    c("event_id", Uuid),
    c("action_id", Uuid),
    c("type"),
    c("action"),
    c("subject"),
    c("subject_id", Uuid),
    c("from_state", null=True),
    c("to_state", null=True),
    c("actor_id", Uuid),
    c("actor_roles"),
    c("recorded_for", null=True),
    c("reason_code", null=True),
    c("occurred_on", Date),
    instant("recorded_at"),
    c("corrects", BigInteger, null=True),
    c("evidence", JSONB),
    c("note_sealed", LargeBinary, null=True),
    c("data", JSONB),
    c("hash", LargeBinary),
    c("tx", Xid8, server_default=func.pg_current_xact_id()),
    Index("events_by_subject", "institution_id", "subject_id", "seq"),
    key=("stream_id", "seq"),
)
unfed = tenant_table(
    "unfed",
    c("no", BigInteger, Identity(always=True, cache=1)),
    c("stream_id", Uuid),
    c("seq", BigInteger),
    key=("no",),
)
feed_heads = tenant_table("feed_heads", c("last_no", BigInteger), key=())
feed = tenant_table(
    "feed",
    c("feed_no", BigInteger),
    c("stream_id", Uuid),
    c("seq", BigInteger),
    UniqueConstraint("institution_id", "stream_id", "seq"),
    key=("feed_no",),
)
idempotency_keys = tenant_table(
    "idempotency_keys",
    c("account_id", Uuid),
    c("route"),
    c("key"),
    c("body_digest", LargeBinary),
    c("sealed", LargeBinary),
    instant("kept_until"),
    Index("idempotency_keys_by_age", "institution_id", "kept_until"),
    key=("account_id", "route", "key"),
)
openings = tenant_table(
    "openings",
    c("id", Uuid),
    c("person_id", Uuid),
    c("account_id", Uuid),
    c("fields"),
    c("purpose"),
    instant("opened_at"),
    Index("openings_by_person", "institution_id", "person_id"),
    key=("person_id", "id"),
)
sights = tenant_table(
    "sights",
    c("person_id", Uuid),
    c("account_id", Uuid),
    c("seen_on", Date),
    c("subject"),
    c("subject_id", Uuid),
    c("fields"),
    c("organisation_id", Uuid),
    c("consent_id", Uuid, null=True),
    instant("first_at"),
    key=("person_id", "account_id", "seen_on", "subject", "subject_id", "fields"),
)
"""What organisations saw of people: a row for each account, person, thing, set of fields and day, however often."""
external_ids = tenant_table(
    "external_ids",
    c("system"),
    c("value"),
    c("subject"),
    c("subject_id", Uuid),
    Index("external_ids_by_subject", "institution_id", "subject_id"),
    key=("system", "value"),
)
counters = tenant_table(
    "counters",
    c("name"),
    c("period"),
    c("count", Integer),
    key=("name", "period"),
)
WRITTEN_ONCE.update({"events", "feed", "unfed", "idempotency_keys", "openings", "sights", "stream_keys"})
FORGETTABLE.update({"unfed", "idempotency_keys", "external_ids"})
