"""Reports as they were frozen: their bytes and the hash of them."""

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, LargeBinary

from service.domain.reports import REPORT
from service.storage.tables.columns import WRITTEN_ONCE, c, instant, item_table

reports = item_table(
    "reports",
    REPORT,
    c("report"),
    c("edition", Integer),
    c("year", Integer),
    c("as_of", Date),
    c("feed_no", BigInteger),
    instant("counted_until"),
    c("sha256", LargeBinary),
    c("content", LargeBinary),
    CheckConstraint("sha256 = sha256(content)", name="hash_of_content"),
    Index("reports_by_year", "institution_id", "year", "id"),
    stream="institution_id",
)
WRITTEN_ONCE.add("reports")
