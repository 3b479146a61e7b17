# ruff: noqa: T201 - a line for each removal is told
"""Would the tests notice? Whatever keeps a promise of docs/trust.md is taken out of a copy, one at a time, and tests must fail.

    python tests/removals.py                      # all of them, two at a time
    python tests/removals.py --only row_lock      # by name
    python tests/removals.py --jobs 1

First the named tests are run as the house stands, and must pass. Then each removal is made in a copy of the checkout, and
its tests are run: one of them must fail by what it asserts. Where nothing can be imported, or no database made, nothing is
shown, and that counts as not noticed. All of it shares one PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.storage.embedded import Cluster

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
SECONDS = 240
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "timeout=60")


@dataclass(frozen=True, slots=True)
class Removal:
    """What is taken out: `text` of a file of the service (there once) becomes `instead`; `tests` are what must notice."""

    name: str
    promise: int
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    @property
    def path(self) -> str:
        """The file, from the root of the checkout."""
        return f"service/{self.file}"

    @property
    def ids(self) -> list[str]:
        """The tests as pytest is given them."""
        return [f"tests/{test}" for test in self.tests]


def _r(name: str, promise: int, file: str, text: str, instead: str, *tests: str) -> Removal:
    return Removal(name, promise, file, text, instead, tests)


# fmt: off
REMOVALS: tuple[Removal, ...] = (
    # ---- 1: a row belongs to one institution
    _r("first_wall", 1, "storage/tenancy.py",
       "return table.c.institution_id == INSTITUTION", "return table.c.institution_id.is_not(None)",
       "api/test_isolation.py::test_scopes_hold_alone"),
    _r("policy", 1, "storage/tenancy.py",
       "POLICY = \"institution_id = nullif(current_setting('app.institution', true), '')::uuid\"", 'POLICY = "true"',
       "storage/test_walls.py::test_walls_show_no_row_where_no_institution_is_set"),
    _r("row_level_security", 1, "storage/walls.py",
       '            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",\n', "",
       "storage/test_walls.py::test_walls_show_no_row_where_no_institution_is_set", "api/test_isolation.py::test_row_level_security_holds_alone"),
    _r("forced_on_the_owner", 1, "storage/walls.py",
       '            f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",\n', "",
       "test_architecture.py::test_row_level_security_is_forced_on_every_tenant_table"),
    _r("with_check", 1, "storage/walls.py",
       "USING ({POLICY}) WITH CHECK ({POLICY})", "USING ({POLICY}) WITH CHECK (true)",
       "storage/test_walls.py::test_walls_show_no_row_where_no_institution_is_set"),
    _r("gate", 1, "storage/views.py",
       "read = select(*_asked(actor), *own).select_from(frm).where(GATE).order_by(*order)",
       "read = select(*_asked(actor), *own).select_from(frm).order_by(*order)",
       "storage/test_statements.py::test_statements_wait_for_the_institution"),
    _r("service_role", 1, "storage/database.py",
       '                "role": APP_ROLE,\n', "",
       "storage/test_walls.py::test_service_works_under_a_role_that_no_wall_lets_through"),
    _r("composite_foreign_key", 1, "storage/tables/columns.py",
       'return [c(name, Uuid, null=null), refers(name, table), Index(None, "institution_id", name)]',
       'return [c(name, Uuid, null=null), Index(None, "institution_id", name)]',
       "storage/test_walls.py::test_walls_refuse_a_reference_into_another_institution"),
    _r("scope_of_a_person", 1, "storage/scopes.py",
       '"trainees":      {_PERSON: own("id"), ', '"trainees":      {_PERSON: everyone, ',
       "api/test_trainees.py::test_people_see_only_their_own"),
    _r("scope_of_the_parties", 1, "storage/scopes.py",
       '"placements":    {_PERSON: own("person_id"),       _ORGANISATION: of_placement},',
       '"placements":    {_PERSON: own("person_id"),       _ORGANISATION: everyone},',
       "trust/test_parties.py::test_placement_is_shown_to_no_other_organisation"),
    _r("scope_of_a_teacher", 1, "storage/scopes.py",
       "return and_(mine(table), or_(not_(_only_teaches(actor)), narrower(table, actor))) if narrower else mine(table)",
       "return mine(table) if narrower else mine(table)",
       "api/test_training.py::test_instructor_sees_and_touches_only_the_classes_that_they_teach"),
    _r("evidence_that_is_seen", 1, "storage/opening.py",
       "            sees(documents, sight, actor),\n", "            mine(documents),\n",
       "trust/test_sight.py::test_evidence_is_what_whoever_shows_it_can_see"),
    # ---- 2: an enterprise sees what a consent gives
    _r("scope_of_an_enterprise", 2, "storage/scopes.py",
       '"placement_requests": {_PERSON: of_own_candidacies, _ORGANISATION: of_request},',
       '"placement_requests": {_PERSON: of_own_candidacies, _ORGANISATION: everyone},',
       "api/test_placement_requests.py::test_request_is_drafted_by_an_enterprise_for_itself_only"),
    _r("mask_by_consent", 2, "storage/candidacies.py",
       '        and_(_given, func.jsonb_exists(_a.c.notice[word("steps")][_steps], word(kind))), literal_column("false")\n',
       '        literal_column("true"), literal_column("false")\n',
       "api/test_candidacies.py::test_candidacy_walks_from_a_name_to_a_placement"),
    _r("mask_of_a_name", 2, "storage/placements.py",
       'return or_(func.coalesce(sent, literal_column("false")), _named_to_employer())', 'return literal_column("true")',
       "trust/test_parties.py::test_name_is_shown_on_a_placement_as_far_as_the_consent_goes"),
    _r("withdrawal", 2, "storage/scopes.py",
       "        k.c.state == literal_column(\"'given'\"),\n        or_(", "        or_(",
       "trust/test_access.py::test_what_an_enterprise_is_shown_is_told_to_the_person"),
    _r("last_day_of_a_consent", 2, "storage/scopes.py",
       "        or_(k.c.ends_on.is_(None), k.c.ends_on >= cast(NOW, k.c.ends_on.type)),\n", "",
       "trust/test_sight.py::test_consent_ends_with_its_last_day_before_any_clock_rings"),
    _r("hidden_before_nominated", 2, "storage/scopes.py",
       "return and_(table.c.state.not_in(hidden), select(k.c.id).where(holds).exists())",
       "return select(k.c.id).where(holds).exists()",
       "trust/test_sight.py::test_nomination_that_is_taken_back_hides_the_person_again"),
    _r("refusals_tell_parties_less", 2, "actions/work.py",
       'return of_role or [replace(r, actual=None) if (r.pointer or "").startswith("requirement/") else r for r in reasons]',
       "return of_role or reasons",
       "trust/test_parties.py::test_refusal_leaves_out_what_a_paper_of_a_person_says"),
    _r("reasons_of_others", 2, "actions/reading.py",
       '    if actor.sight is Sight.ORGANISATION and record["subject"] not in OF_ORGANISATIONS:\n', "    if False:\n",
       "trust/test_sight.py::test_notes_and_reasons_about_a_person_are_not_for_the_enterprise"),
    _r("note_of_a_sight", 2, "storage/views.py",
       "noted = view.seen is not None and sight is Sight.ORGANISATION", "noted = False",
       "trust/test_access.py::test_what_an_enterprise_is_shown_is_told_to_the_person"),
    _r("note_of_an_opening", 2, "actions/trainees.py",
       '    await note_opening(services, call, person, actor, "passport identity_no guardian", purpose)\n', "",
       "api/test_trainees.py::test_opening_needs_a_purpose_and_stays_on_record_for_the_trainee"),
    # ---- 3: deny by default
    _r("policy_of_an_operation", 3, "api/operations.py",
       'raise RuntimeError(f"{operation.name} has no policy")', "pass",
       "test_architecture.py::test_operation_without_a_policy_does_not_start"),
    _r("role_of_a_read", 3, "actions/reading.py",
       "    if not may(actor, permission):\n", "    if False:\n",
       "api/test_trainees.py::test_opening_needs_a_purpose_and_stays_on_record_for_the_trainee"),
    _r("role_of_a_step", 3, "domain/lifecycle.py",
       "    if actor.roles.isdisjoint(who):\n        if allowed(", "    if False:\n        if allowed(",
       "trust/test_accounts.py::test_lost_password_is_reset_by_an_administrator_once"),
    _r("unknown_fields", 3, "api/inputs.py",
       '        extra="forbid",\n        strict=True,', "        strict=True,",
       "trust/test_inputs.py::test_strange_documents_are_refused_in_our_words"),
    _r("strict_types", 3, "api/inputs.py",
       '        extra="forbid",\n        strict=True,', '        extra="forbid",',
       "trust/test_inputs.py::test_types_are_taken_as_they_are"),
    _r("unknown_parameters", 3, "api/schemas/common.py",
       '    """Parameters of a read: only what is declared."""\n\n    model_config = ConfigDict(extra="forbid")',
       '    """Parameters of a read: only what is declared."""',
       "trust/test_inputs.py::test_what_is_not_declared_is_refused_by_its_place"),
    _r("state_by_a_step_only", 3, "storage/writes.py",
       '            raise TypeError("a state is written by a step only")\n', "            return\n",
       "storage/test_writes.py::test_state_is_written_by_a_step_alone"),
    # ---- 4: exactly the edges
    _r("trigger_of_edges", 4, "storage/walls.py",
       'WHEN ({changed} AND {unlisted}) "', 'WHEN (false AND {changed} AND {unlisted}) "',
       "storage/test_walls.py::test_walls_refuse_an_edge_that_is_in_no_table"),
    _r("trigger_of_births", 4, "storage/walls.py",
       "WHEN (NEW.state NOT IN ({initial})) ", "WHEN (false AND NEW.state NOT IN ({initial})) ",
       "storage/test_walls.py::test_walls_refuse_a_birth_in_a_later_state"),
    _r("trigger_of_a_move", 4, "storage/walls.py",
       'f"WHEN ({changed}) EXECUTE FUNCTION {table}_left_event()"', 'f"WHEN (false) EXECUTE FUNCTION {table}_left_event()"',
       "storage/test_walls.py::test_walls_refuse_a_listed_edge_without_its_event"),
    _r("trigger_of_a_birth", 4, "storage/walls.py",
       'AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "', 'AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (false) "',
       "storage/test_walls.py::test_walls_refuse_a_birth_in_a_later_state"),
    _r("trigger_of_heads", 4, "storage/walls.py",
       '"FOR EACH ROW EXECUTE FUNCTION head_covers()"', '"FOR EACH ROW WHEN (false) EXECUTE FUNCTION head_covers()"',
       "storage/test_walls.py::test_walls_refuse_an_event_that_its_head_does_not_cover"),
    _r("events_written_once", 4, "storage/tables/record.py",
       'WRITTEN_ONCE.update({"events", ', "WRITTEN_ONCE.update({",
       "storage/test_walls.py::test_walls_refuse_what_the_service_never_does"),
    _r("nobody_claims_a_transaction", 4, "storage/walls.py",
       'return column.name != "tx" and column.identity is None', "return column.identity is None",
       "storage/test_walls.py::test_walls_let_nobody_claim_a_transaction_or_a_number"),
    _r("keys_stay", 4, "storage/walls.py",
       "if insertable(column) and column.name not in key)", "if insertable(column))",
       "storage/test_walls.py::test_walls_refuse_what_the_service_never_does"),
    # ---- 5: never oversold
    _r("row_lock", 5, "storage/opening.py",
       "        .with_for_update(key_share=True)\n", "",
       "api/test_candidacies.py::test_candidacy_consents_withdrawn_while_offers_are_made_leave_exact_seats"),
    _r("guarded_head", 5, "storage/writes.py",
       "heads.c.stream_id == r.c.stream_id, heads.c.version == r.c.version)", "heads.c.stream_id == r.c.stream_id)",
       "storage/test_writes.py::test_head_that_moved_takes_everything_with_it"),
    _r("seats_constraint", 5, "storage/tables/placement_requests.py",
       '    CheckConstraint("offered + taken + used <= seats", name="seats_not_oversold"),\n', "",
       "storage/test_walls.py::test_walls_refuse_more_than_there_are_seats"),
    _r("one_live_placement", 5, "storage/tables/placements.py",
       '        "person_id",\n        unique=True,\n        postgresql_where=text(f"state IN ({_live})"),',
       '        "person_id",\n        postgresql_where=text(f"state IN ({_live})"),',
       "api/test_placements.py::test_placement_one_live_placement_a_person"),
    _r("seats_of_a_batch", 5, "actions/candidacies.py",
       "    adjust=adjust,\n", "",
       "api/test_candidacies.py::test_candidacy_offers_in_one_batch_take_no_more_than_the_seats"),
    # ---- 6: one transaction, told once
    _r("kept_answer", 6, "actions/work.py",
       "        if call.key:\n            who = (call.institution, self.actor.account_id", "        if False:\n            who = (call.institution, self.actor.account_id",
       "actions/test_work.py::test_the_same_key_at_once_creates_once_and_tells_the_same"),
    _r("digest_of_a_body", 6, "actions/work.py",
       'if first["kept_digest"] == call.body:', "if True:",
       "trust/test_repeats.py::test_key_is_of_one_request_only"),
    _r("key_of_one_route", 6, "storage/opening.py",
       '        k.c.route == bindparam("route", type_=Text),\n', '        bindparam("route", type_=Text).is_not(None),\n',
       "trust/test_repeats.py::test_key_is_of_one_request_only"),
    _r("key_of_one_account", 6, "storage/opening.py",
       "        k.c.account_id == actor.c.account_id,\n        k.c.route", "        k.c.route",
       "trust/test_repeats.py::test_key_is_of_one_request_only"),
    _r("all_or_nothing", 6, "storage/writes.py",
       "else_=torn)", 'else_=text("1"))',
       "storage/test_writes.py::test_part_that_finds_nothing_takes_the_others_back"),
    # ---- 7: no lost update
    _r("version_that_was_seen", 7, "actions/work.py",
       "            wanted.version == item.version\n", "            wanted.version is not None\n",
       "actions/test_work.py::test_many_at_once_on_one_version_are_one_and_the_rest_stale"),
    _r("version_that_is_missing", 7, "actions/work.py",
       "raise VersionMissing if wanted.version is None else StaleVersion", "if wanted.version is not None:\n            raise StaleVersion",
       "api/test_relationships.py::test_relationship_stale_or_missing_version_is_refused"),
    # ---- 8: no event lost
    _r("queue_of_the_feed", 8, "storage/writes.py",
       '        left = put.returning(events.c.stream_id, events.c.seq).cte(f"e{n}")\n        return (\n            insert(unfed)',
       '        return put.returning(events.c.stream_id)\n        left = put.returning(events.c.stream_id, events.c.seq).cte(f"e{n}")\n        return (\n            insert(unfed)',
       "storage/test_sequencer.py::test_sequencer_numbers_what_waits_in_one_row_without_gaps"),
    _r("order_of_the_feed", 8, "storage/sequencer.py",
       "func.row_number().over(order_by=gone.c.no)", "func.row_number().over(order_by=gone.c.no.desc())",
       "storage/test_sequencer.py::test_sequencer_loses_nothing_with_writers_and_two_sequencers_at_once"),
    _r("first_come_first_numbered", 8, "storage/sequencer.py",
       ".order_by(unfed.c.no).limit(limit)", ".order_by(unfed.c.no.desc()).limit(limit)",
       "storage/test_sequencer.py::test_sequencer_takes_the_first_of_those_that_wait"),
    _r("one_sequencer", 8, "storage/sequencer.py",
       ".with_for_update(key_share=True, skip_locked=True)", "",
       "storage/test_sequencer.py::test_sequencer_loses_nothing_with_writers_and_two_sequencers_at_once"),
    # ---- 9: a chain that verifies
    _r("link_of_the_chain", 9, "actions/work.py",
       "        chain = link(chain, entry)\n", "        chain = link(GENESIS, entry)\n",
       "actions/test_work.py::test_every_chain_holds_after_all_kinds_of_acts"),
    _r("entry_in_its_hash", 9, "domain/events.py",
       "return _canonical({name: getattr(entry, name) for name in Entry.__slots__}).encode()",
       'return _canonical({name: getattr(entry, name) for name in Entry.__slots__ if name != "data"}).encode()',
       "trust/test_audit.py::test_what_was_altered_behind_the_service_is_found"),
    _r("verified_head", 9, "storage/auditing.py",
       'return None if (last["head_seq"], last["chain_head"]) == (last["seq"], last["hash"]) else "head_differs"',
       "return None",
       "trust/test_audit.py::test_what_was_altered_behind_the_service_is_found"),
    _r("verified_state", 9, "storage/auditing.py",
       "            events.c.to_state == table.c.state,\n", "",
       "trust/test_audit.py::test_what_was_altered_behind_the_service_is_found"),
    _r("verified_checkpoint", 9, "storage/auditing.py",
       "if waiting.pop(0).digest != digest.hex():", "if not waiting.pop(0):",
       "trust/test_audit.py::test_what_was_altered_behind_the_service_is_found"),
    _r("erasure_of_tables", 9, "storage/writes.py",
       "        for name in ERASED_IN:\n", '        for name in ("stream_keys",):\n',
       "trust/test_erasure.py::test_erased_person_is_nowhere_and_the_record_verifies"),
    _r("erasure_of_a_field", 9, "storage/tables/personal.py",
       '            "phone": None,\n', "",
       "storage/test_personal.py::test_every_column_of_a_person_goes_or_has_a_reason_to_stay"),
    _r("erasure_of_the_key", 9, "storage/tables/personal.py",
       '"stream_keys": Held(whose=by("stream_id"), forget=True, ', '"stream_keys": Held(whose=by("stream_id"), ',
       "storage/test_personal.py::test_what_is_sealed_or_free_text_never_stays"),
    _r("erasure_of_files", 9, "actions/trainees.py",
       "    for content_id in person.files:\n", "    for content_id in ():\n",
       "trust/test_erasure.py::test_erased_person_is_nowhere_and_the_record_verifies"),
    # ---- 10: no secrets where they do not belong
    _r("seal_of_an_answer", 10, "actions/work.py",
       "sealed=self.vault.seal(answer, *who),", "sealed=answer,",
       "actions/test_work.py::test_the_same_key_at_once_creates_once_and_tells_the_same"),
    _r("seal_of_a_passport", 10, "actions/trainees.py",
       '"passport_sealed": work.seal(person, to_json(document).decode(), "passport"),', '"passport_sealed": to_json(document),',
       "api/test_trainees.py::test_passport_is_read_and_shut_away"),
    _r("seal_of_a_note", 10, "actions/work.py",
       'note_sealed=self.seal(stream, note, "note") if note else None,', "note_sealed=note.encode() if note else None,",
       "trust/test_erasure.py::test_erased_person_is_nowhere_and_the_record_verifies"),
    _r("seal_of_a_certificate_number", 10, "actions/certificates.py",
       'columns["number_sealed"] = work.seal(person, number, "certificate_number")', 'columns["number_sealed"] = number.encode()',
       "api/test_certificates.py::test_certificate_number_opens_for_a_purpose_on_record"),
    _r("seal_of_what_was_said", 10, "actions/correction_requests.py",
       'work.seal(item.stream, words, "correction_request")', "words.encode()",
       "api/test_correction_requests.py::test_wrong_name_is_corrected_by_an_act_that_is_named"),
    _r("blind_index", 10, "storage/vault.py",
       'return hmac.digest(self._index_key, bound(kind, institution, value.strip().upper()), "sha256")',
       "return bound(kind, institution, value.strip().upper())",
       "storage/test_vault.py::test_blind_index_tells_nothing_and_differs_from_place_to_place"),
    _r("seal_bound_to_its_owner", 10, "storage/vault.py",
       'return b"\\x1f".join(str(p).encode() for p in parts)', 'return b""',
       "storage/test_vault.py::test_sealed_value_cannot_be_moved_to_another_owner"),
    _r("no_input_in_problems", 10, "api/problems.py",
       'return str(error["msg"]) if constant else NOT_ACCEPTED', 'return str(error["msg"])',
       "api/test_problems.py::test_invalid_body_is_pointed_at_and_never_repeated"),
    _r("no_names_in_pointers", 10, "api/problems.py",
       "            break  # a key that the client made up: it may be a value\n", "            pass\n",
       "trust/test_inputs.py::test_strange_documents_are_refused_in_our_words"),
    _r("no_words_in_the_log", 10, "api/problems.py",
       '"request_failed", error=_type_name(error), at=', '"request_failed", error=str(error), at=',
       "api/test_problems.py::test_unexpected_error_is_answered_and_logged_without_values"),
    _r("no_paths_in_the_log", 10, "api/edge.py",
       "        route = route_of(scope)\n", '        route = scope["path"]\n',
       "api/test_edge.py::test_log_has_the_template_and_no_value"),
    # ---- 11: tokens
    _r("secret_of_a_token", 11, "storage/scopes.py",
       '                held.c.digest == bindparam("token"),\n', '                bindparam("token", type_=held.c.digest.type).is_not(None),\n',
       "trust/test_accounts.py::test_lost_password_is_reset_by_an_administrator_once"),
    _r("eyes_of_a_token", 11, "storage/scopes.py",
       "                held.c.sight == literal_column(f\"'{sight.value}'\"),\n", "",
       "trust/test_accounts.py::test_token_that_was_tampered_with_is_refused"),
    _r("revocation", 11, "storage/scopes.py",
       "                held.c.revoked_at.is_(None),\n", "",
       "api/test_accounts.py::test_password_is_changed_by_the_old_one_and_ends_every_session"),
    _r("expiry", 11, "storage/scopes.py",
       "                held.c.expires_at > NOW,\n", "",
       "trust/test_accounts.py::test_token_is_worth_nothing_from_the_moment_on"),
    _r("end_of_an_appointment", 11, "storage/scopes.py",
       "                who.c.ended_at.is_(None),\n", "",
       "trust/test_accounts.py::test_token_of_an_ended_appointment_is_worth_nothing"),
    _r("disabled_account", 11, "storage/scopes.py",
       "                accounts.c.disabled_at.is_(None),\n", "",
       "trust/test_accounts.py::test_token_is_worth_nothing_from_the_moment_on"),
    _r("keys_are_digests", 11, "api/tokens.py",
       'return hashlib.sha256(b"sojourn token\\0" + secret.encode()).digest()', "return secret.encode()",
       "api/test_accounts.py::test_key_of_a_machine_works_until_it_is_revoked_and_is_kept_as_a_digest"),
    _r("link_works_once", 11, "storage/accounts.py",
       "        invitations.c.used_at.is_(None),\n", "",
       "trust/test_accounts.py::test_lost_password_is_reset_by_an_administrator_once"),
    _r("link_grows_old", 11, "storage/accounts.py",
       "        invitations.c.expires_at > func.now(),\n", "",
       "trust/test_accounts.py::test_link_is_worth_nothing_after_its_days"),
    _r("new_password_ends_sessions", 11, "storage/accounts.py",
       "        await _KEEP_PASSWORD.one(con, account=account, password_hash=password_hash)\n        await _end_sessions(con, account)\n",
       "        await _KEEP_PASSWORD.one(con, account=account, password_hash=password_hash)\n",
       "api/test_accounts.py::test_password_is_changed_by_the_old_one_and_ends_every_session"),
    _r("ticket_works_once", 11, "storage/streams.py",
       "    delete(_t)\n    .where(mine(_t), GATE, _t.c.digest == _bytes, _t.c.expires_at > func.statement_timestamp())\n    .returning(_t.c.credential),",
       "    select(_t.c.credential).where(mine(_t), GATE, _t.c.digest == _bytes, _t.c.expires_at > func.statement_timestamp()),",
       "api/test_streams.py::test_ticket_opens_one_stream_once"),
    _r("token_of_the_metrics", 11, "api/edge.py",
       'if not hmac.compare_digest(headers.get("authorization", "").encode("latin-1"), self._expected):', "if False:",
       "api/test_edge.py::test_metrics_are_for_token_or_machine"),
    # ---- 12: no input breaks it
    _r("names_that_stand_twice", 12, "api/operations.py",
       "    if len(found) != len(pairs):\n", "    if False:\n",
       "trust/test_inputs.py::test_strange_documents_are_refused_in_our_words"),
    _r("brackets", 12, "api/operations.py",
       '        if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:\n', "        if False:\n",
       "trust/test_inputs.py::test_brackets_are_counted_before_they_are_read"),
    _r("bytes_of_a_body", 12, "api/edge.py",
       "        if self._bytes_left < 0:\n", "        if False:\n",
       "api/test_edge.py::test_body_of_the_limit_passes_and_one_byte_more_does_not"),
    _r("declared_length", 12, "api/edge.py",
       "    if length.isdecimal() and (len(length) > 20 or int(length) > allowance.max_bytes):", "    if False:",
       "api/test_edge.py::test_declared_length_is_enough_to_refuse"),
    _r("packed_body", 12, "api/edge.py",
       'if any(value.strip().lower() not in ("", "identity") for value in headers.getlist("content-encoding")):', "if False:",
       "api/test_edge.py::test_packed_body_is_refused"),
    _r("slow_sender", 12, "api/edge.py",
       "            async with asyncio.timeout(self._seconds_left):\n", "            async with asyncio.timeout(None):\n",
       "api/test_edge.py::test_slow_sender_is_cut_off_by_the_sum_of_its_pauses"),
    _r("slow_answer", 12, "api/edge.py",
       "self._clock = asyncio.timeout(allowance.answer_seconds)", "self._clock = asyncio.timeout(None)",
       "api/test_edge.py::test_slow_answer_is_given_up_and_the_handler_is_cancelled"),
    _r("workbook_that_unpacks", 12, "actions/imports/sheets.py",
       "            if declared > UNPACKED_MOST or len(members) > MEMBERS_MOST:\n", "            if False:\n",
       "actions/test_imports.py::test_import_of_a_workbook_that_unpacks_to_too_much_is_refused"),
    _r("document_that_unpacks", 12, "storage/files.py",
       "            if sum(part.file_size for part in parts) > UNPACKED_BYTES:\n", "            if False:\n",
       "storage/test_files.py::test_put_refuses_and_leaves_nothing"),
    _r("list_of_parts", 12, "storage/files.py",
       "    if directory_bytes(file, size) > DIRECTORY_BYTES:\n", "    if False:\n",
       "storage/test_files.py::test_put_refuses_and_leaves_nothing"),
    _r("bytes_of_an_upload", 12, "storage/files.py",
       "                if size > limit:\n", "                if False:\n",
       "storage/test_files.py::test_put_takes_the_limit_and_not_a_byte_more"),
    _r("what_cannot_be_kept", 12, "api/inputs.py",
       '    if any(ch == "\\x00" or "\\ud800" <= ch <= "\\udfff" for ch in value):\n', "    if False:\n",
       "trust/test_inputs.py::test_what_is_not_declared_is_refused_by_its_place"),
    _r("input_that_the_database_refuses", 12, "storage/database.py",
       '    if state[:2] == "22" and state != "22012":\n', "    if False:\n",
       "storage/test_database.py::test_text_that_cannot_be_kept_is_input"),
    _r("years_1_and_9999", 12, "api/inputs.py",
       "    if not 1900 <= value.year <= 2200:", "    if False:",
       "trust/test_inputs.py::test_instants_at_the_ends_of_time_are_refused"),
    # ---- 13: files that do no harm
    _r("formulas_of_the_database", 13, "storage/lines.py",
       "return case((harmless, text), (risky, word(\"'\") + text), else_=text)", "return text",
       "api/test_exports.py::test_export_carries_no_formula"),
    _r("formulas_of_a_csv", 13, "actions/imports/cells.py",
       'return "\'" + text if text.lstrip()[:1] in FORMULA or text[:1] in tuple("\\t\\r\\n") else text', "return text",
       "api/test_exports.py::test_lines_of_the_database_are_those_of_a_writer"),
    _r("formulas_of_a_workbook", 13, "actions/exports.py",
       "self._page.write_string(self._line, place, cell)", "self._page.write(self._line, place, cell)",
       "api/test_exports.py::test_export_carries_no_formula"),
    _r("text_that_is_more", 13, "storage/files.py",
       "    if _NOT_PLAIN.match(beginning):\n", "    if False:\n",
       "storage/test_files.py::test_put_refuses_and_leaves_nothing"),
    _r("macros", 13, "storage/files.py",
       '    if any(name.lower().endswith("vbaproject.bin") for name in names):\n', "    if False:\n",
       "storage/test_files.py::test_put_refuses_and_leaves_nothing"),
    _r("attachment", 13, "api/routes/documents.py",
       'return f"attachment; filename=', 'return f"inline; filename=',
       "api/test_documents.py::test_document_is_stored_with_its_row_and_event"),
    _r("nosniff", 13, "api/edge.py",
       '    "X-Content-Type-Options": "nosniff",\n', "",
       "api/test_edge.py::test_answers_carry_the_headers_of_the_house"),
    _r("sandbox", 13, "api/routes/documents.py",
       '"default-src \'none\'; sandbox"', '"default-src *"',
       "api/test_documents.py::test_document_is_given_out_as_a_file_that_no_browser_opens"),
    # ---- 15: the database goes away
    _r("away_is_503", 15, "storage/database.py",
       '    if state in ("55P03", "57014", "25P03") or state[:3] == "57P" or state[:2] in ("08", "53"):\n', "    if False:\n",
       "storage/test_database.py::test_error_of_the_database_is_told_by_its_meaning"),
    _r("retry_after", 15, "api/problems.py",
       "        if self.status in (429, 503):\n", "        if self.status == 429:\n",
       "api/test_problems.py::test_problem_of_every_code_is_answered_whole"),
    _r("try_again", 15, "storage/database.py",
       '    if state in ("40001", "40P01") or (', "    if (",
       "storage/test_database.py::test_what_was_in_each_others_way_is_done_again"),
    _r("worker_waits", 15, "worker.py",
       "        except (*DRIVER_ERRORS, Unavailable) as error:\n", "        except ZeroDivisionError as error:\n",
       "test_cli.py::test_worker_numbers_events_and_comes_back_when_the_database_does"),
    # ---- 16: everybody their share
    _r("share_of_a_token", 16, "api/pace.py",
       '            Share("key", self._keys, known.digest),\n', "",
       "trust/test_pace.py::test_a_token_an_institution_and_an_address_have_shares_of_their_own"),
    _r("share_of_an_institution", 16, "api/pace.py",
       '            Share("institution", self._institutions, known.institution),\n', "",
       "trust/test_pace.py::test_a_token_an_institution_and_an_address_have_shares_of_their_own"),
    _r("share_of_an_address", 16, "api/pace.py",
       "Buckets(rates.address, rates.seconds)", "Buckets(10**9, rates.seconds)",
       "trust/test_pace.py::test_a_token_an_institution_and_an_address_have_shares_of_their_own"),
    _r("line_of_an_institution", 16, "api/pace.py",
       "        await place.acquire()\n", "",
       "trust/test_pace.py::test_whoever_sends_much_waits_in_their_own_line"),
    _r("proven_tokens", 16, "api/pace.py",
       "if token is not None and scope.get(PROVEN):", "if token is not None:",
       "trust/test_pace.py::test_a_token_an_institution_and_an_address_have_shares_of_their_own"),
    _r("guesses", 16, "actions/accounts.py",
       "        services.guesses.take(guesser)\n", "",
       "trust/test_pace.py::test_passwords_are_not_guessed"),
    _r("proxies_of_ours", 16, "main.py",
       "return wrap_asgi_with_proxy_headers(whole, settings.proxies) if settings.proxies else whole",
       'return wrap_asgi_with_proxy_headers(whole, "*")',
       "trust/test_pace.py::test_a_proxy_that_is_ours_says_who_calls_and_no_one_else"),
)
# fmt: on


def flaws() -> list[str]:
    """What is wrong with the table itself: a text that is not there once, a test that is not there, a name twice."""
    found = []
    for r in REMOVALS:
        times = (ROOT / r.path).read_text(encoding="utf-8").count(r.text)
        if times != 1:
            found.append(f"{r.name}: its text stands {times} times in {r.path}")
        for test in r.tests:
            file, _, name = test.partition("::")
            known = (ROOT / "tests" / file).read_text(encoding="utf-8") if (ROOT / "tests" / file).is_file() else ""
            if f"def {name.partition('[')[0]}" not in known:
                found.append(f"{r.name}: there is no tests/{test}")
    names = [r.name for r in REMOVALS]
    return found + [f"{name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of our own, in memory where there is room."""
    made = Path(tempfile.mkdtemp(prefix="sj", dir=MEMORY if MEMORY.exists() else None))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Copy:
    """A checkout of our own, in which one thing at a time is taken out."""

    root: Path
    server: str

    def run(self, ids: Sequence[str], *more: str) -> tuple[int, str]:
        """Pytest in the copy: its exit code and what it said."""
        env = os.environ | {"PYTHONPATH": str(self.root), "TEST_DATABASE_URL": self.server}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            done = subprocess.run([*PYTEST, *more, *ids], cwd=self.root, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return -1, "it did not end"
        return done.returncode, done.stdout + done.stderr

    def without(self, removal: Removal) -> tuple[bool, str]:
        """Whether a test fails without it, and which; otherwise what pytest said last."""
        path = self.root / removal.path
        whole = path.read_text(encoding="utf-8")
        self._write(path, whole.replace(removal.text, removal.instead))
        try:
            code, said = self.run(removal.ids, "-n", "0", "-x", "-rfE", "--no-header")
        finally:
            self._write(path, whole)
        last = said.strip().splitlines()[-1]
        if code == 1 and re.search(r"\d+ failed", last) and not re.search(r"\d+ error", last):
            return True, re.findall(r"^FAILED (\S+)", said, re.MULTILINE)[-1]
        return False, f"NOTHING NOTICED IT: {last}"

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()


def _try_all(copies: Sequence[Copy], removals: Sequence[Removal]) -> list[Removal]:
    """Each removal in the next copy that is free; those that nothing noticed."""
    waiting: queue.SimpleQueue[Removal] = queue.SimpleQueue()
    for removal in removals:
        waiting.put(removal)
    lived: list[Removal] = []

    def work(copy: Copy) -> None:
        while True:
            try:
                removal = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            noticed, told = copy.without(removal)
            if not noticed:
                lived.append(removal)
            print(f"{removal.promise:2}  {removal.name:32} {time.monotonic() - began:5.1f} s  {told}", flush=True)

    threads = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lived


def main() -> int:
    """Take out what was asked for."""
    parser = argparse.ArgumentParser(description="Take out what keeps a promise, and expect a test to fail.")
    parser.add_argument("--only", nargs="*", help="removals by name; all where none is given")
    parser.add_argument("--jobs", type=int, default=2)
    said = parser.parse_args()
    if wrong := flaws():
        print("\n".join(wrong))
        return 2
    removals = [r for r in REMOVALS if not said.only or r.name in said.only]
    with folder() as made, Cluster(made / "pg", durable=False, settings={"max_connections": "400"}) as cluster:
        copies = [Copy(made / f"copy{n}", cluster.dsn("postgres")) for n in range(min(said.jobs, len(removals)))]
        for copy in copies:
            shutil.copytree(ROOT, copy.root, ignore=LEFT_OUT)
        ids = sorted({i for r in removals for i in r.ids})
        code, told = copies[0].run(ids, "-n", str(len(copies)))
        print(f"as it stands: {told.strip().splitlines()[-1]}", flush=True)
        if code != 0:
            print(told)
            return 2
        lived = _try_all(copies, removals)
    print(f"{len(removals) - len(lived)} of {len(removals)} noticed")
    return 1 if lived else 0


if __name__ == "__main__":
    sys.exit(main())
