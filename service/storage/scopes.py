"""Who sees which row: the one place. What an actor may not see does not exist for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    FromClause,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.actors import Sight
from service.storage.tables.aliases import aliases
from service.storage.tables.candidacies import candidacies
from service.storage.tables.institutions import accounts, appointments, credentials
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tables.trainees import consents
from service.storage.tenancy import GATE, INSTITUTION, mine

AT: ColumnElement[Any] = bindparam("at", type_=Text)
NOW = func.coalesce(cast(AT, appointments.c.created_at.type), func.statement_timestamp())
"""The one clock: the database's, or the instant that a generator or a test injects (ISO text)."""


def _everyone(person_ids: ColumnElement[Any]) -> ColumnElement[Any]:
    """The persons of an account, by every record of theirs that was joined with one of these."""
    a = aliases.alias("theirs_too")
    others = func.array(select(a.c.same_id).where(mine(a), a.c.person_id == func.any(person_ids)).scalar_subquery())
    many = func.cardinality(person_ids) > literal_column("0")
    return cast(case((many, func.array_cat(person_ids, others)), else_=person_ids), ARRAY(Uuid))


def actor_of(sight: Sight | None) -> Any:
    """The actor as a CTE: whoever holds the token, now; or, where `sight` is None, a trusted caller named outright."""
    if sight is None:
        said = select(
            bindparam("actor_id", type_=Uuid).label("account_id"),
            bindparam("actor_roles", type_=ARRAY(Text)).label("roles"),
            cast(null(), Uuid).label("organisation_id"),
            cast(null(), ARRAY(Uuid)).label("person_ids"),
            cast(null(), ARRAY(Uuid)).label("unit_ids"),
        ).where(GATE)
    else:
        held, who = credentials, appointments
        said = (
            select(
                who.c.account_id,
                who.c.roles,
                who.c.organisation_id,
                _everyone(who.c.person_ids).label("person_ids"),
                who.c.unit_ids,
            )
            .select_from(
                held.join(who, and_(mine(who), who.c.id == held.c.appointment_id)).join(
                    accounts, accounts.c.id == who.c.account_id
                )
            )
            .where(
                GATE,
                mine(held),
                held.c.digest == bindparam("token"),
                held.c.sight == literal_column(f"'{sight.value}'"),
                held.c.revoked_at.is_(None),
                held.c.expires_at > NOW,
                who.c.ended_at.is_(None),
                accounts.c.disabled_at.is_(None),
            )
        )
    return said.cte("actor").prefix_with("MATERIALIZED")


ACTOR = ("account_id", "roles", "organisation_id", "person_ids", "unit_ids")


def asking(actor: Any) -> list[Any]:
    """Who asks, beside the row that they see: named apart, for rows have accounts and roles too."""
    return [actor.c[name].label(f"asked_{name}") for name in ACTOR]


Scope = Callable[[FromClause, Any], ColumnElement[bool]]
"""Given the table and the actor's CTE, the condition under which a row is seen."""


def everyone(_table: FromClause, _actor: Any) -> ColumnElement[bool]:
    """Every row of the institution."""
    return true()


def nobody(_table: FromClause, _actor: Any) -> ColumnElement[bool]:
    """No row."""
    return false()


def own(column: str) -> Scope:
    """A person's own rows (a guardian's: of those in their care)."""

    def scope(table: FromClause, actor: Any) -> ColumnElement[bool]:
        # The cast makes it the array that it is: ANY over a bare subselect would compare with its rows.
        return table.c[column] == func.any(cast(select(actor.c.person_ids).scalar_subquery(), ARRAY(Uuid)))

    return scope


def owed_by_own(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """What a person owes themselves; what others owe about them is between those and the institution."""
    return and_(own("person_id")(table, actor), literal_column("'trainee'") == func.any(table.c.owed_by))


def announced(table: FromClause, _actor: Any) -> ColumnElement[bool]:
    """Rows that are no longer a draft."""
    return table.c.state.not_in([literal_column("'draft'"), literal_column("'voided'")])


def of_organisation(column: str) -> Scope:
    """Rows that name the actor's organisation."""

    def scope(table: FromClause, actor: Any) -> ColumnElement[bool]:
        return table.c[column] == select(actor.c.organisation_id).scalar_subquery()

    return scope


def uploaded_by_own(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """What the actor's own account uploaded."""
    return table.c.uploaded_by == select(actor.c.account_id).scalar_subquery()


def given_to_organisation(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """Consents that name the actor's organisation, as long as they are given."""
    return and_(of_organisation("recipient_id")(table, actor), table.c.state == literal_column("'given'"))


def of_placement(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """Rows that name the actor's organisation as the employer or the agency."""
    organisation = select(actor.c.organisation_id).scalar_subquery()
    return or_(table.c.employer_id == organisation, table.c.agency_id == organisation)


def of_owing_organisation(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """What belongs to the placements and requests of the actor's organisation; a person's own papers do not."""
    organisation = select(actor.c.organisation_id).scalar_subquery()
    p, r = placements, placement_requests
    theirs = select(p.c.id).where(mine(p), or_(p.c.employer_id == organisation, p.c.agency_id == organisation))
    asked = select(r.c.id).where(mine(r), or_(r.c.organisation_id == organisation, r.c.agency_id == organisation))
    return or_(table.c.subject_id.in_(theirs), table.c.subject_id.in_(asked))


def of_own_membership(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """Rows of a class that concern a person's own membership."""
    m = table.metadata.tables["memberships"].alias("own_membership")  # type: ignore[attr-defined]
    mine_there = own("person_id")(m, actor)
    return select(m.c.id).where(mine(m), m.c.id == table.c.membership_id, mine_there).exists()


# ---- what staff see who only teach
_WIDER = ("coordinator", "registrar", "admin")


def _only_teaches(actor: Any) -> ColumnElement[bool]:
    """Whether the actor is an instructor, and nothing by which staff see every class."""
    roles = cast(select(actor.c.roles).scalar_subquery(), ARRAY(Text))
    wider = array([literal_column(f"'{role}'", Text) for role in _WIDER])
    return and_(literal_column("'instructor'") == func.any(roles), not_(roles.op("&&", return_type=Boolean())(wider)))


def _taught(table: FromClause, class_id: ColumnElement[Any], actor: Any) -> ColumnElement[bool]:
    """Whether the actor teaches the class, or stands in for somebody at one of its meetings."""
    tables = table.metadata.tables  # type: ignore[attr-defined]
    k, s = tables["training_classes"].alias("taught"), tables["class_sessions"].alias("stood_in")
    account = select(actor.c.account_id).scalar_subquery()
    own = select(k.c.id).where(mine(k), k.c.id == class_id, k.c.teacher_id == account)
    stands_in = select(s.c.id).where(mine(s), s.c.class_id == class_id, s.c.teacher_id == account)
    return or_(own.exists(), stands_in.exists())


def taught(column: str) -> Scope:
    """Rows of the classes that the actor teaches."""

    def scope(table: FromClause, actor: Any) -> ColumnElement[bool]:
        return _taught(table, table.c[column], actor)

    return scope


def of_taught_member(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """Rows of members of the classes that the actor teaches."""
    m = table.metadata.tables["memberships"].alias("taught_member")  # type: ignore[attr-defined]
    of = and_(mine(m), m.c.id == table.c.membership_id)
    return select(m.c.id).where(of, _taught(table, m.c.class_id, actor)).exists()


def of_own_candidacies(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """The requests for which a person is or was a candidate."""
    c = candidacies.alias("own_candidacy")
    people = cast(select(actor.c.person_ids).scalar_subquery(), ARRAY(Uuid))
    return table.c.id.in_(select(c.c.request_id).where(mine(c), c.c.person_id == func.any(people)))


def of_request(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """The requests of the actor's organisation, as the enterprise or as its agency."""
    organisation = select(actor.c.organisation_id).scalar_subquery()
    return or_(table.c.organisation_id == organisation, table.c.agency_id == organisation)


def consented_to(table: FromClause, actor: Any) -> ColumnElement[bool]:
    """Whoever was nominated to the actor's organisation, as long as their consent holds."""
    k = consents.alias("held_consent")
    holds = and_(
        mine(k),
        k.c.id == table.c.consent_id,
        k.c.recipient_id == select(actor.c.organisation_id).scalar_subquery(),
        k.c.state == literal_column("'given'"),
        or_(k.c.ends_on.is_(None), k.c.ends_on >= cast(NOW, k.c.ends_on.type)),
    )
    hidden: list[ColumnElement[str]] = [
        literal_column(f"'{s}'") for s in ("identified", "consent_pending", "consent_refused", "voided")
    ]
    return and_(table.c.state.not_in(hidden), select(k.c.id).where(holds).exists())


_PERSON, _ORGANISATION = Sight.PERSON, Sight.ORGANISATION

# fmt: off
SCOPES: dict[str, dict[Sight, Scope]] = {
    # the table       whose eyes: which rows            (staff see every row of their institution, but see TAUGHT)
    "itself":        {_PERSON: everyone,               _ORGANISATION: everyone},
    "units":         {_PERSON: everyone,               _ORGANISATION: nobody},
    "relationships": {_PERSON: nobody,                 _ORGANISATION: of_organisation("organisation_id")},
    "appointments":  {_PERSON: nobody,                 _ORGANISATION: nobody},
    "credentials":   {_PERSON: nobody,                 _ORGANISATION: nobody},
    "trainees":      {_PERSON: own("id"),              _ORGANISATION: nobody},
    "documents":     {_PERSON: own("person_id"),       _ORGANISATION: uploaded_by_own},
    "consents":      {_PERSON: own("person_id"),       _ORGANISATION: given_to_organisation},
    "correction_requests": {_PERSON: own("person_id"), _ORGANISATION: nobody},
    "courses":       {_PERSON: everyone,               _ORGANISATION: of_organisation("owner_id")},
    "programmes":    {_PERSON: announced,              _ORGANISATION: nobody},
    "intakes":       {_PERSON: announced,              _ORGANISATION: nobody},
    "applications":  {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "enrolments":    {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "results":       {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "recognition_cases": {_PERSON: own("person_id"),   _ORGANISATION: nobody},
    "recognition_rules": {_PERSON: own("person_id"),             _ORGANISATION: nobody},
    "pack_versions": {_PERSON: nobody,                 _ORGANISATION: nobody},
    "ledger":        {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "placement_requests": {_PERSON: of_own_candidacies, _ORGANISATION: of_request},
    "candidacies":   {_PERSON: own("person_id"),       _ORGANISATION: consented_to},
    "placements":    {_PERSON: own("person_id"),       _ORGANISATION: of_placement},
    "requirement_items": {_PERSON: own("person_id"),   _ORGANISATION: of_owing_organisation},
    "requirement_subjects": {_PERSON: own("person_id"), _ORGANISATION: of_placement},
    "assignments":   {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "obligations":   {_PERSON: owed_by_own,            _ORGANISATION: of_organisation("organisation_id")},
    "obligation_subjects": {_PERSON: nobody,           _ORGANISATION: nobody},
    "costs":         {_PERSON: own("person_id"),       _ORGANISATION: nobody},
    "training_classes": {_PERSON: everyone,            _ORGANISATION: of_organisation("enterprise_id")},
    "class_sessions":   {_PERSON: everyone,            _ORGANISATION: nobody},
    "assessments":      {_PERSON: everyone,            _ORGANISATION: nobody},
    "memberships":      {_PERSON: own("person_id"),    _ORGANISATION: nobody},
    "attendance":       {_PERSON: of_own_membership,   _ORGANISATION: nobody},
    "class_marks":      {_PERSON: of_own_membership,   _ORGANISATION: nobody},
    "certificates":     {_PERSON: own("person_id"),    _ORGANISATION: nobody},
    "sittings":         {_PERSON: everyone,            _ORGANISATION: nobody},
    "sitting_registrations": {_PERSON: own("person_id"), _ORGANISATION: nobody},
    "targets":          {_PERSON: nobody,              _ORGANISATION: nobody},
    "imports":          {_PERSON: nobody,              _ORGANISATION: nobody},
    "reports":          {_PERSON: nobody,              _ORGANISATION: nobody},
}
TAUGHT: dict[str, Scope] = {
    # the table         which rows staff see who only teach
    "training_classes": taught("id"),
    "class_sessions":   taught("class_id"),
    "assessments":      taught("class_id"),
    "memberships":      taught("class_id"),
    "attendance":       of_taught_member,
    "class_marks":      of_taught_member,
}
# fmt: on


def sees(table: FromClause, sight: Sight | None, actor: Any) -> ColumnElement[bool]:
    """The rows of the table that the actor sees; a table that is not in SCOPES cannot be asked for."""
    if sight is None:
        return mine(table)
    if sight is Sight.STAFF:
        narrower = TAUGHT.get(str(table.name))  # type: ignore[attr-defined]
        return and_(mine(table), or_(not_(_only_teaches(actor)), narrower(table, actor))) if narrower else mine(table)
    return and_(mine(table), SCOPES[str(table.name)][sight](table, actor))  # type: ignore[attr-defined]


__all__ = ["ACTOR", "AT", "INSTITUTION", "NOW", "SCOPES", "Scope", "actor_of", "asking", "sees"]
