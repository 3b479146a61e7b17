"""Candidacies: a person for a request, seen by the enterprise as far as they consent, up to the accepted offer."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, GUARDIAN, REGISTRAR, SYSTEM, TRAINEE
from service.domain.candidacies.facts import (
    ASSESSMENTS,
    BEFORE_NOMINATION,
    BELOW_ACCEPTED,
    IN_CHOICE,
    ON_CONSENT,
    PINNED,
    STEP_OF,
    STEPS,
    Asked,
    CandidacyDossier,
    Eligible,
    NewCandidacy,
    Owing,
    Person,
    Request,
    Shown,
    Transfer,
    by_step,
)
from service.domain.candidacies.guards import (
    ACCEPTANCE_DAY,
    ACCEPTED_IF,
    ACCEPTED_ON_THE_DAY,
    CHOICE_DAY,
    CHOSEN_IF,
    CHOSEN_ON_THE_DAY,
    NOMINATED_IF,
    NOMINATED_ON_THE_DAY,
    NOMINATION_DAY,
    accepted_in_time,
    adult_decides,
    agreed_before,
    assessment_complete,
    before_closing,
    can_live_again,
    consent_asked,
    consent_holds,
    consent_lost,
    differences_accepted,
    differences_known,
    fields_known,
    hard_rules_pass,
    nationality_asked,
    no_live_candidacy,
    no_live_placement,
    no_other_accepted,
    no_recorded_for_the_right_one,
    offer_in_time,
    offer_over,
    person_decides,
    recorded_for_the_right_one,
    request_known,
    request_live,
    request_open,
    request_running,
    seat_free,
    terms_not_worse,
    transfer_fits,
    transfer_open,
    version_moves,
    where_accepted,
)
from service.domain.consents import FIELDS
from service.domain.debts import provable
from service.domain.lifecycle import NEW, VOIDED, Lifecycle, Rule, Takes, because

_SCORED: tuple[Takes[Any], ...] = (
    Takes("assessment", str, "How the enterprise came to its choice.", choices=ASSESSMENTS, code="assessment_known"),
    Takes("score", Decimal, "What the scorecard or the test gave.", needed=False, least=Decimal(0), most=Decimal(1000)),
    Takes("reason_code", str, "Why, for a choice by the papers.", needed=False,
          choices=("skills", "language", "level", "other"), code="reason_code_known"),
)  # fmt: skip
_RANK = Takes[Any]("rank", int, "The place in the enterprise's own order.", least=1, most=100_000)
_OFFER: tuple[Takes[Any], ...] = (
    Takes("offer_ends_at", datetime, "The instant until which it can be accepted.", least=lambda c: c.now, code="in_future"),
    Takes("terms", dict, "Terms that differ from the request's.", needed=False),
    Takes("differences", tuple[str, ...], "Those among them that are less good, for the trainee to accept.", needed=False),
)  # fmt: skip
_INTERVIEW: tuple[Takes[Any], ...] = (
    Takes("interview_at", datetime, "When the interview is.", least=lambda c: c.now, code="in_future"),
    Takes("minutes", int, "How long it takes.", needed=False, least=5, most=600),
    Takes("place", Annotated[str, "line"], "Where it is, or its address on the net.", needed=False),
)
_PERSON = [TRAINEE, GUARDIAN]
_BY_SCHOOL = because(
    "requirements_unmet", "disciplinary", "health", "documents_missing", "data_error", "fraud", "safety", "other"
)
_DECLINED = because("pay_terms", "other_offer", "family", "health", "schedule", "personal", "not_interested", "other")
_OUT_OF_CHOICE = because(
    "skills", "language", "health", "no_show", "rank_too_low", "position_filled", "unsuitable", "other"
)
_RESCINDED = because(
    "no_longer_needed", "position_filled", "requirements_unmet", "fraud", "employer_insolvent", "other"
)
_WITHDRAWN = because("personal", "family", "health", "other_offer", "pay_terms", "not_interested", "other")

# fmt: off
CANDIDACY = Lifecycle[Any]("candidacy", [
    #    action               from                            to                       who             only if                                  leaves behind
    Rule("identify",          [NEW],                          "identified",            [COORDINATOR],  [request_known, request_live, nationality_asked, transfer_fits, transfer_open, no_live_placement, no_live_candidacy, hard_rules_pass], "candidacy.identified",
         takes=[Takes("transfer_of", UUID, "The placement from which the person asks to be transferred.", needed=False)], shared=True),
    Rule("ask_consent",       ["identified"],                 "consent_pending",       [COORDINATOR],  [request_live],                          "candidacy.consent_asked",
         takes=[Takes("shown", Shown, "Which kinds of data the enterprise sees from which step on.", needed=False),
                Takes("ends_on", date, "The last day on which the consent would hold.", needed=False, least=lambda c: c.today, code="in_future")],
         checks=[fields_known]),
    Rule("nominate",          ["consent_pending"],            "nominated",             _PERSON,         [consent_asked, person_decides, request_running, nationality_asked, transfer_open, no_live_placement, NOMINATED_IF], "candidacy.nominated",
         takes=[Takes("withheld", tuple[str, ...], "Kinds of data that the person does not give.", needed=False, choices=FIELDS, code="consent_field_known"), *NOMINATION_DAY],
         checks=[recorded_for_the_right_one, NOMINATED_ON_THE_DAY]),
    Rule("refuse_consent",    ["consent_pending"],            "consent_refused",       _PERSON,         [adult_decides],                         "candidacy.consent_refused", checks=[no_recorded_for_the_right_one], undo=[can_live_again]),
    Rule("shortlist",         ["nominated"],                  "shortlisted",           [ENTERPRISE],    [request_running, consent_holds],        "candidacy.shortlisted"),
    Rule("invite",            ["shortlisted"],                "interviewing",          [ENTERPRISE],    [request_running, consent_holds],        "candidacy.invited", takes=_INTERVIEW),
    Rule("invite",            ["interviewing"],               "interviewing",          [ENTERPRISE],    [request_running, consent_holds],        "candidacy.invited", takes=_INTERVIEW),
    Rule("choose",            ["shortlisted", "interviewing"], "selected",             [ENTERPRISE],    [request_running, consent_holds, CHOSEN_IF], "candidacy.chosen",
         takes=[*_SCORED, Takes("rank", int, "The place in the enterprise's own order.", needed=False, least=1, most=100_000), *CHOICE_DAY], checks=[assessment_complete, CHOSEN_ON_THE_DAY]),
    Rule("reserve_list",      ["shortlisted", "interviewing"], "waitlisted",           [ENTERPRISE],    [request_running, consent_holds],        "candidacy.put_on_reserve",
         takes=[*_SCORED, _RANK], checks=[assessment_complete]),
    Rule("promote",           ["waitlisted"],                 "selected",              [ENTERPRISE],    [request_running, consent_holds, CHOSEN_IF], "candidacy.promoted",
         takes=CHOICE_DAY, checks=[CHOSEN_ON_THE_DAY]),
    Rule("turn_down",         IN_CHOICE,                      "rejected_by_enterprise", [ENTERPRISE],   [],                                      "candidacy.turned_down", takes=[_OUT_OF_CHOICE], undo=[can_live_again]),
    Rule("offer",             ["selected"],                   "offered",               [ENTERPRISE],    [request_open, before_closing, seat_free, consent_holds, transfer_open, no_live_placement], "candidacy.offered",
         takes=_OFFER, checks=[differences_known, terms_not_worse], shared=True),
    Rule("accept",            ["offered"],                    ["accepted", "placed"],  [TRAINEE],       [offer_in_time, no_other_accepted, transfer_open, no_live_placement, ACCEPTED_IF], "candidacy.accepted", which=where_accepted,
         takes=[Takes("accepted_differences", tuple[str, ...], "The less good terms that are accepted.", needed=False), *ACCEPTANCE_DAY],
         checks=[accepted_in_time, differences_accepted, ACCEPTED_ON_THE_DAY], shared=True, undo=False),
    Rule("decline",           ["offered"],                    "offer_declined",        [TRAINEE],       [],                                      "candidacy.declined", takes=[_DECLINED], shared=True, undo=[can_live_again]),
    Rule("lapse",             ["offered"],                    "offer_expired",         [SYSTEM],        [offer_over],                            "candidacy.lapsed", shared=True, undo=[can_live_again]),
    Rule("rescind",           ["offered"],                    "offer_rescinded",       [ENTERPRISE, SYSTEM], [],                                 "candidacy.rescinded", takes=[_RESCINDED], shared=True, undo=[can_live_again]),
    Rule("withdraw",          BELOW_ACCEPTED,                 "withdrawn_by_trainee",  _PERSON,         [adult_decides],                         "candidacy.withdrawn", takes=[_WITHDRAWN], checks=[no_recorded_for_the_right_one], shared=True, undo=[can_live_again]),
    Rule("withdraw_by_school", BELOW_ACCEPTED,                "withdrawn_by_school",   [COORDINATOR],   [],                                      "candidacy.withdrawn_by_school", takes=[_BY_SCHOOL], shared=True, undo=[can_live_again]),
    Rule("lose_consent",      ON_CONSENT,                     "withdrawn_by_trainee",  [SYSTEM],        [consent_lost],                          "candidacy.consent_lost", shared=True, undo=False),
    Rule("supersede",         BELOW_ACCEPTED,                 "superseded",            [SYSTEM],        [],                                      "candidacy.superseded", undo=False),
    Rule("close_out",         [*BEFORE_NOMINATION, *IN_CHOICE], "not_selected",        [SYSTEM],        [],                                      "candidacy.closed_out", undo=False),
    *[Rule("follow_version",  [state],                        state,                   [SYSTEM],        [version_moves],                         "candidacy.version_followed", undo=False) for state in PINNED],
    Rule("place",             ["accepted"],                   "placed",                [SYSTEM],        [],                                      "candidacy.placed", undo=False),
    Rule("unplace",           ["placed"],                     "accepted",              [SYSTEM],        [],                                      "candidacy.unplaced", undo=False),
    Rule("fall_through",      ["accepted", "placed"],         "fell_through",          [SYSTEM],        [],                                      "candidacy.fell_through", undo=False),
    # By import alone: whoever has a contract already takes a seat of the request, and the import is taken back as a whole.
    Rule("adopt",             [NEW],                          "accepted",              [COORDINATOR, REGISTRAR, ADMIN], [request_known, request_live, nationality_asked, no_live_placement, no_live_candidacy, hard_rules_pass, seat_free], "candidacy.adopted",
         checks=[agreed_before], shared=True, undo=False),
    Rule("void",              ["accepted", "placed"],         VOIDED,                  [SYSTEM],        [],                                      "candidacy.voided", undo=False),
], provable=provable("consent_holds"))
# fmt: on

__all__ = [
    "ASSESSMENTS",
    "BEFORE_NOMINATION",
    "BELOW_ACCEPTED",
    "CANDIDACY",
    "IN_CHOICE",
    "ON_CONSENT",
    "PINNED",
    "STEPS",
    "STEP_OF",
    "Asked",
    "CandidacyDossier",
    "Eligible",
    "NewCandidacy",
    "Owing",
    "Person",
    "Request",
    "Shown",
    "Transfer",
    "by_step",
]
