"""Equivalence rules with sources and targets; regulations of programmes, conversions of partners, in versions."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint

from service.domain.equivalences import MODES
from service.domain.recognition_rules import RECOGNITION_RULE
from service.storage.tables.columns import WRITTEN_ONCE, belongs, c, instant, item_table, one_of, refers, tenant_table

recognition_rules = item_table(
    "recognition_rules",
    RECOGNITION_RULE,
    c("rule_key"),
    c("edition", Integer),
    c("rationale"),
    c("automatic", Boolean),
    c("valid_from", Date),
    c("valid_until", Date, null=True),
    c("credit_policy", JSONB, null=True),
    c("grade_policy", JSONB, null=True),
    c("mode", server_default=text("'full'")),
    c("differences", ARRAY(Text), server_default=text("'{}'")),
    c("conditions", null=True),
    *belongs("person_id", "trainees", null=True),
    c("promised_on", Date, null=True),
    one_of("mode", MODES),
    CheckConstraint("(person_id IS NULL) = (promised_on IS NULL)", name="promise_whole"),
    CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name="days_in_order"),
    Index(
        "recognition_rules_one_of_edition",
        "institution_id",
        "rule_key",
        "edition",
        unique=True,
        postgresql_where=text("state <> 'voided'"),
    ),
    ExcludeConstraint(
        ("institution_id", "="),
        ("rule_key", "="),
        (text("daterange(valid_from, valid_until, '[]')"), "&&"),
        name="recognition_rules_one_at_a_time",
        using="gist",
        where=text("state = 'active'"),
    ),
    stream="institution_id",
)
recognition_rule_sources = tenant_table(
    "recognition_rule_sources",
    c("rule_id", Uuid),
    *belongs("course_id", "courses"),
    c("min_grade", Numeric, null=True),
    c("lower_is_better", Boolean),
    c("min_credits", Numeric, null=True),
    c("place", Integer),
    refers("rule_id", "recognition_rules"),
    key=("rule_id", "course_id"),
)
recognition_rule_targets = tenant_table(
    "recognition_rule_targets",
    c("rule_id", Uuid),
    *belongs("course_id", "courses"),
    c("credits", Numeric, null=True),
    c("place", Integer),
    refers("rule_id", "recognition_rules"),
    key=("rule_id", "course_id"),
)
regulations = tenant_table(
    "regulations",
    c("programme_id", Uuid),
    c("no", Integer),
    c("effective_from", Date),
    c("hours_per_credit", Numeric),
    c("full_year_credits", Numeric, null=True),
    c("credits_per_course", Numeric, null=True),
    c("credits_per_kind", JSONB),
    c("credits_in_all", Numeric, null=True),
    c("credits_gap", Numeric, null=True),
    c("overlap_percent", Numeric, null=True),
    c("elective_for_required", Boolean),
    c("signatures", ARRAY(Text)),
    c("substitutions", JSONB, server_default=text("'[]'")),
    c("own", ARRAY(Text)),
    instant("set_at"),
    refers("programme_id", "programmes"),
    UniqueConstraint("institution_id", "programme_id", "no"),
)
partner_conversions = tenant_table(
    "partner_conversions",
    c("relationship_id", Uuid),
    c("no", Integer),
    c("effective_from", Date),
    c("credit_policy", JSONB, null=True),
    c("grade_policy", JSONB, null=True),
    instant("set_at"),
    refers("relationship_id", "relationships"),
    UniqueConstraint("institution_id", "relationship_id", "no"),
)
WRITTEN_ONCE.update({"partner_conversions", "recognition_rule_sources", "recognition_rule_targets", "regulations"})
