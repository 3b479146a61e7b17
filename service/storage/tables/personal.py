"""Where something about a person is kept, column by column, and what becomes of it when they are erased.

A test over the catalogue asks that every column of every table that leads to a person stands here: what is blanked,
what is sealed under the key that is forgotten, and what stays with the reason why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, FromClause, Uuid, and_, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.domain.trainees import ERASED
from service.storage.tables.certificates import certificates
from service.storage.tables.columns import FORGETTABLE, c, tenant_table
from service.storage.tables.institutions import appointments, shared_accounts
from service.storage.tables.recognition import recognition_cases, results
from service.storage.tables.trainees import documents
from service.storage.tenancy import INSTITUTION, mine

Whose: TypeAlias = Callable[[FromClause, ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]
"""Given the table, the person, and the blind indexes of their numbers, the rows that are theirs."""

files_to_remove = tenant_table("files_to_remove", c("content_id", Uuid), key=("content_id",))
"""Files of somebody who was erased: noted in the same act, and gone from the store a moment later."""
FORGETTABLE.add("files_to_remove")


def _of_person(table: FromClause, person: ColumnElement[Any], _: ColumnElement[Any]) -> ColumnElement[bool]:
    return table.c.person_id == person


def by(column: str) -> Whose:
    """Rows that name the person in this column."""

    def whose(table: FromClause, person: ColumnElement[Any], _: ColumnElement[Any]) -> ColumnElement[bool]:
        return table.c[column] == person

    return whose


def _tied(table: FromClause, person: ColumnElement[Any]) -> ColumnElement[bool]:
    """Always so: the person is compared inside a subselect, and the compiler looks for a comparison beside it."""
    return table.c.id != person


def _of_case(table: FromClause, person: ColumnElement[Any], _: ColumnElement[Any]) -> ColumnElement[bool]:
    k = recognition_cases
    return and_(_tied(table, person), table.c.case_id.in_(select(k.c.id).where(mine(k), k.c.person_id == person)))


def _staged(table: FromClause, person: ColumnElement[Any], keys: ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows of imports that made or changed the person or what is theirs, or that name them and led to nothing.

    Of rows from before they had keys it cannot be told whom they name: those that led to nothing are theirs too.
    """
    theirs = [select(t.c.id).where(mine(t), t.c.person_id == person) for t in (certificates, results, documents)]
    untold = and_(table.c.known_by.is_(None), table.c.item_id.is_(None))
    return or_(
        table.c.item_id == person,
        table.c.known_by.op("&&")(keys),
        untold,
        *[table.c.item_id.in_(ids) for ids in theirs],
    )


def _account(table: FromClause, person: ColumnElement[Any], _: ColumnElement[Any]) -> ColumnElement[bool]:
    """Accounts that this institution made for the person alone, and that nobody else appointed."""
    a, other = appointments, appointments.alias("other")
    theirs = select(a.c.account_id).where(
        mine(a), a.c.state == literal_column("'ended'"), a.c.person_ids == func.array_append(_NONE, person)
    )
    still = select(other.c.id).where(
        mine(other), other.c.account_id == table.c.id, other.c.state == literal_column("'held'")
    )
    shared = select(shared_accounts.c.account_id).where(shared_accounts.c.account_id == table.c.id)
    return and_(
        _tied(table, person), table.c.made_by == INSTITUTION, table.c.id.in_(theirs), ~still.exists(), ~shared.exists()
    )


_NONE: ColumnElement[Any] = literal_column("'{}'::uuid[]", ARRAY(Uuid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a table holds of a person.

    `blank` gives the value that takes a column's place. `sealed` are columns under the key of the person's stream:
    they cannot be read once it is forgotten. `kept` tells by its reason which columns stay. `forget`: the rows go.
    """

    whose: Whose = _of_person
    blank: Mapping[str, Any] = field(default_factory=dict)
    sealed: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    forget: bool = False


COMMON = frozenset(
    {
        "institution_id", "id", "version", "state", "event_seq", "since_on", "contested_seq", "created_at",
        "person_id", "stream_id", "subject_kind", "subject_id",
    }
)  # fmt: skip
"""Ids, states and dates: without them neither figures nor the chain of the record would hold."""
_IDS, _CODES, _DAYS = "ids of other things", "codes of our own lists", "days and instants of steps"
_HASHED = "hashed as it stands: codes, ids, dates and amounts"
_FIGURES, _STAFF = "figures, which say nothing without a name", "who of the staff or a party did it"

HELD: dict[str, Held] = {
    "trainees": Held(
        whose=by("id"),
        blank={
            "name_native": ERASED,
            "name_latin": ERASED,
            "sort_name": ERASED,
            "sex": None,
            "birth_on": None,
            "origin": None,
            "email": None,
            "phone": None,
            "language": "und",
            "passport_sealed": None,
            "passport_index": None,
            "passport_country": None,
            "passport_expires_on": None,
            "identity_sealed": None,
            "identity_index": None,
            "guardian_sealed": None,
            "available_from": None,
            "available_until": None,
        },
        kept={
            "a group of many: figures by nationality": "nationality",
            _IDS: "unit_id erasure_asked_by",
            _DAYS: "erased_at erasure_asked_on",
        },
    ),
    "external_ids": Held(whose=by("subject_id"), forget=True, kept={"the row goes as a whole": "system value subject"}),
    "stream_keys": Held(whose=by("stream_id"), forget=True, kept={"the row goes as a whole": "wrapped key_id"}),
    "documents": Held(
        blank={"title": ERASED, "sha256": b""},
        kept={
            _CODES: "kind media_type",
            _FIGURES: "size",
            "where the file was, which is removed": "content_id",
            _STAFF: "uploaded_by",
        },
    ),
    "consents": Held(
        blank={"notice": {}}, kept={_CODES: "purpose fields", _IDS: "recipient_id", _DAYS: "given_on ends_on"}
    ),
    "applications": Held(
        kept={
            _IDS: "intake_id",
            _CODES: "education_level documents_asked source reason_code",
            _DAYS: "submitted_on",
            _FIGURES: "rank",
        }
    ),
    "enrolments": Held(
        kept={
            _IDS: "application_id intake_id programme_id curriculum_id",
            _CODES: "source fee reason_code",
            _FIGURES: "holds_place stage",
            _DAYS: "leave_from leave_until entered_on",
        }
    ),
    "enrolment_waivers": Held(
        kept={_IDS: "enrolment_id course_ids", _FIGURES: "stage credits revoked", _DAYS: "waived_at"}
    ),
    "assignments": Held(kept={_STAFF: "coordinator_id deputy_id", _DAYS: "deputy_from_on deputy_until_on"}),
    "memberships": Held(
        kept={
            _IDS: "class_id transferred_from",
            _CODES: "ended_because ended_from",
            _DAYS: "attending_on",
            _FIGURES: "attempt carried_held carried_attended attendance_percent score",
        }
    ),
    "attendance": Held(
        kept={
            _IDS: "session_id membership_id corrects",
            _CODES: "kind",
            _FIGURES: "seq hours",
            _DAYS: "taken_at recorded_at",
        }
    ),
    "class_marks": Held(kept={_IDS: "assessment_id membership_id", _FIGURES: "attempt seq mark", _DAYS: "marked_on"}),
    "enterprise_hours": Held(kept={_IDS: "membership_id", _FIGURES: "seq hours", _DAYS: "confirmed_on"}),
    "certificates": Held(
        blank={"number_sealed": None, "number_index": None},
        kept={
            _CODES: "kind test form issuer field scheme paper level_named level cefr ended_because",
            _FIGURES: "passed total_score section_scores",
            _DAYS: "taken_on result_on issued_on valid_until",
            _IDS: "document_id",
            _STAFF: "recorded_by edited_by verified_by",
        },
    ),
    "sitting_registrations": Held(
        blank={"admission_no": None}, kept={_IDS: "sitting_id certificate_id", _CODES: "ended_because"}
    ),
    "results": Held(
        kept={
            _CODES: "source scheme",
            _IDS: "course_id owner_id",
            "of a course, not of a person": "course_code course_title owner",
            _FIGURES: "credits grade passed claimed_percent",
            _DAYS: "achieved_on",
        }
    ),
    "recognition_cases": Held(
        blank={"evidence_wanted": None},
        kept={
            _CODES: "kind sign_off",
            _IDS: "supersedes_id programme_id",
            _FIGURES: "round told_round",
            _DAYS: "due_on evidence_until decided_on appeal_until",
        },
    ),
    "recognition_items": Held(
        kept={
            _IDS: "case_id result_id target_course_id",
            "of a course, not of a person": "target",
            _FIGURES: "share_percent credits place",
        }
    ),
    "recognition_claims": Held(kept={_IDS: "result_id case_id", _FIGURES: "share_percent"}),
    "recognition_decisions": Held(
        sealed=("reason_sealed",),
        kept={
            _IDS: "case_id item_id rule_id",
            _CODES: "action mode outcome difference_codes trace",
            _FIGURES: "round credits_awarded overlap_percent grade_awarded",
            _STAFF: "decided_by",
            _DAYS: "decided_on decided_at",
        },
    ),
    "recognition_rules": Held(
        blank={"rationale": ERASED, "conditions": None},
        kept={
            _CODES: "rule_key mode differences",
            _FIGURES: "edition automatic credit_policy grade_policy",
            _DAYS: "valid_from valid_until promised_on",
        },
    ),
    "recognition_rule_sources": Held(
        kept={_IDS: "rule_id course_id", _FIGURES: "min_grade lower_is_better min_credits place"}
    ),
    "recognition_rule_targets": Held(kept={_IDS: "rule_id course_id", _FIGURES: "credits place"}),
    "recognition_signatures": Held(
        kept={_IDS: "case_id", _CODES: "role", _FIGURES: "round", _STAFF: "signed_by", _DAYS: "signed_on"}
    ),
    "recognition_appeals": Held(
        whose=_of_case,
        blank={"grounds_sealed": b"", "reason_sealed": None},
        kept={_IDS: "case_id", _CODES: "outcome", _STAFF: "lodged_by decided_by", _DAYS: "lodged_on decided_on"},
    ),
    "ledger": Held(
        kept={
            _IDS: "course_id item_id case_id",
            "of a course, not of a person": "target",
            _CODES: "mode",
            _FIGURES: "credits sign",
            _DAYS: "entered_on entered_at",
        }
    ),
    "candidacies": Held(
        blank={"interview": None, "assessment": None},
        kept={
            _IDS: "request_id consent_id placement_id transfer_of",
            _CODES: "pins differences",
            _FIGURES: "rank terms",
            _DAYS: "offered_on offer_ends_at lapses_at critical_on late_on",
        },
    ),
    "placements": Held(
        blank={"flight": None, "wish": None, "skills_sealed": None, "replaced": []},
        kept={
            _IDS: "request_id candidacy_id employer_id agency_id",
            _STAFF: "looked_by",
            _CODES: "destination pathway pins stages departs occupation options agency_contract",
            _FIGURES: "terms",
            _DAYS: "planned_departure_on arrives_on starts_on ends_on authorisation_from_on authorisation_until_on "
            "visa_from_on visa_until_on terms_confirmed_on departed_on arrived_on started_on extension_until_on "
            "look_on last_contact_on returns_on returned_on ended_on critical_on late_on",
        },
    ),
    "requirement_items": Held(
        blank={"value": {}, "waived_because": None},
        kept={
            _CODES: "key",
            _DAYS: "issued_on valid_from valid_until",
            _IDS: "documents",
            _STAFF: "supplied_by waived_by",
        },
    ),
    "obligations": Held(
        kept={
            _IDS: "organisation_id documents",
            _CODES: "rule pin event period zone owed_by",
            _DAYS: "event_on due_on done_on",
        }
    ),
    "costs": Held(
        kept={
            _IDS: "placement_id candidacy_id receipt_id",
            _CODES: "type currency payer receiver",
            _FIGURES: "amount",
            _DAYS: "paid_on",
        }
    ),
    "correction_requests": Held(
        sealed=("said_sealed",),
        kept={
            _CODES: "subject field rule refused_because",
            _IDS: "documents",
            _DAYS: "filed_on due_on",
            _STAFF: "corrected_by",
        },
    ),
    "aliases": Held(kept={_IDS: "same_id", _CODES: "person_is", _FIGURES: "seq"}),
    "openings": Held(blank={"purpose": ERASED}, kept={_STAFF: "account_id", _CODES: "fields", _DAYS: "opened_at"}),
    "sights": Held(
        kept={
            _STAFF: "account_id organisation_id",
            _CODES: "subject fields",
            _DAYS: "seen_on first_at",
            _IDS: "consent_id",
        }
    ),
    "import_rows": Held(
        whose=_staged,
        blank={"sealed": None},
        kept={
            _IDS: "import_id item_id",
            "blind indexes, to find the row by": "known_by",
            _CODES: "outcome codes",
            _FIGURES: "line seen_version left_version",
        },
    ),
    "appointments": Held(
        kept={_IDS: "account_id organisation_id person_ids unit_ids", _CODES: "sight roles", _DAYS: "ended_at"}
    ),
    "accounts": Held(
        whose=_account,
        blank={"email": None, "name": ERASED, "password_hash": None},
        kept={_CODES: "kind locale", _DAYS: "disabled_at", _IDS: "made_by"},
    ),
    "events": Held(
        sealed=("note_sealed",),
        kept={
            _HASHED: "seq event_id action_id type action subject from_state to_state actor_id actor_roles "
            "recorded_for reason_code occurred_on recorded_at corrects evidence data hash tx"
        },
    ),
    "heads": Held(kept={"the head of the chain": "kind seq chain_head stage"}),
}
ERASED_IN = tuple(name for name, held in HELD.items() if name != "trainees" and (held.blank or held.forget))
"""Tables whose rows an erasure rewrites or takes away, beside the record itself, which its own step rewrites."""
NOT_OF_A_PERSON = frozenset(
    {
        "institutions", "organisations", "shared_accounts", "invitations", "units", "relationships", "credentials",
        "courses", "programmes", "curricula", "curriculum_courses", "regulations", "partner_conversions", "intakes",
        "intake_quotas", "placement_requests", "training_classes", "class_sessions", "assessments",
        "sittings", "targets",
        "reports", "imports", "counters", "feed", "feed_heads", "unfed", "tickets", "idempotency_keys",
        "files_to_remove", "pack_versions",
    }
)  # fmt: skip
"""Tables about things, about the staff, or that hold ids and digests alone (kept answers tell ids and states)."""

__all__ = ["COMMON", "ERASED_IN", "HELD", "NOT_OF_A_PERSON", "Held", "files_to_remove"]
