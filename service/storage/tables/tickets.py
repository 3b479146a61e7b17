"""Tickets: each opens one stream of events, once, for whoever held a token when it was given out."""

from sqlalchemy import LargeBinary

from service.storage.tables.columns import FORGETTABLE, WRITTEN_ONCE, c, instant, tenant_table

tickets = tenant_table(
    "tickets",
    c("digest", LargeBinary),
    c("credential", LargeBinary),  # a digest that every look into the feed asks for again: it may be gone by then
    instant("expires_at"),
    key=("digest",),
)
WRITTEN_ONCE.add("tickets")
FORGETTABLE.add("tickets")
