"""Records of one person: which of them is the survivor, and which were joined to it."""

from sqlalchemy import BigInteger

from service.storage.tables.columns import FORGETTABLE, belongs, c, one_of, tenant_table

aliases = tenant_table(
    "aliases",
    *belongs("person_id", "trainees"),
    *belongs("same_id", "trainees"),
    c("person_is"),  # the record in `person_id`, seen from the one in `same_id`
    c("seq", BigInteger),  # of the survivor's event that tells of it
    one_of("person_is", ["survivor", "joined", "beside"]),
    key=("person_id", "same_id"),
)
FORGETTABLE.add("aliases")
