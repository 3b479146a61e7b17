"""Tickets: each opens one stream of events, once, for whoever held a token when it was given out."""

from sqlalchemy import Index, LargeBinary

from service.storage.tables.columns import FORGETTABLE, WRITTEN_ONCE, c, instant, refers, tenant_table

tickets = tenant_table(
    "tickets",
    c("digest", LargeBinary),
    c("credential", LargeBinary),
    instant("expires_at"),
    refers("credential", "credentials", "digest"),
    Index(None, "institution_id", "credential"),
    key=("digest",),
)
WRITTEN_ONCE.add("tickets")
FORGETTABLE.add("tickets")
