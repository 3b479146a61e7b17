// The main job, by a client that nobody wrote by hand: an enterprise asks for somebody, a trainee is proposed, accepts,
// and goes to work. BASE_URL is the service; EMAIL and PASSWORD sign an administrator in.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["ProblemOut"];
type Answer<T> = { data?: T; error?: unknown; response: Response };
type Account = ReturnType<typeof account>;

const DAY = 24 * 3600 * 1000;

function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** A day counted from today, where the institution is. */
const day = (offset: number): string => new Date(Date.now() + 8 * 3600 * 1000 + offset * DAY).toISOString().slice(0, 10);
/** What makes a call safe to repeat. */
const once = () => ({ "idempotency-key": crypto.randomUUID() });
/** The same for a move of what was read at a version. */
const at = (version: number) => ({ ...once(), "if-match": `"${version}"` });

/** What was answered; anything else than success is an error that says why. */
function must<T>(answer: Answer<T>): T {
  if (answer.data === undefined) throw new Error(`${answer.response.url}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** The codes of the reasons for which something was refused. */
function reasons(answer: Answer<unknown>): string[] {
  assert.ok(answer.error, `${answer.response.url} should have been refused`);
  return ((answer.error as Problem).reasons ?? []).map((reason) => reason.code);
}

/** A client of one account. */
function account(token?: string) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return createClient<paths>({ baseUrl: env("BASE_URL"), headers });
}

async function signIn(email: string, password: string): Promise<Account> {
  const token = must(await account().POST("/v1/login", { body: { email, password } }));
  return account(token.access_token);
}

type Appointment = components["schemas"]["AppointmentAppointIn"];

/** Somebody new, invited by an administrator, with a password of their own. */
async function invited(admin: Account, name: string, said: Pick<Appointment, "roles" | "person_ids" | "organisation_id">) {
  const email = `${name}-${crypto.randomUUID().slice(0, 8)}@example.org`;
  const body: Appointment = { email, name, ...said };
  const made = must(await admin.POST("/v1/appointments", { params: { header: once() }, body }));
  const password = crypto.randomUUID();
  assert.ok(made.invitation);
  must(await account().POST("/v1/invitations/accept", { body: { secret: made.invitation, password } }));
  return signIn(email, password);
}

/** A scan, uploaded; its id. */
async function paper(who: Account): Promise<string> {
  const file = new Blob([`%PDF-1.7\n${crypto.randomUUID()}\n%%EOF\n`], { type: "application/pdf" });
  const made = await who.POST("/v1/documents", {
    params: { header: once() },
    body: { kind: "correspondence", title: "Scan", file: "scan.pdf" },
    bodySerializer: ({ kind, title }) => {
      const form = new FormData();
      form.set("kind", kind);
      form.set("title", title);
      form.set("file", file, "scan.pdf");
      return form;
    },
  });
  return must(made).id;
}

const admin = await signIn(env("EMAIL"), env("PASSWORD"));
const coordinator = await invited(admin, "coordinator", { roles: ["coordinator"] });

// ---- an enterprise, verified with evidence
const tie = must(
  await coordinator.POST("/v1/relationships", {
    params: { header: once() },
    body: {
      role: "enterprise",
      organisation: {
        kind: "enterprise",
        name_native: "泰华机电",
        name_latin: "Thai-Hua Mechatronics",
        country: "TH",
        time_zone: "Asia/Bangkok",
        registration_no: crypto.randomUUID(),
        chinese_funded: true,
      },
    },
  }),
);
const verify = { params: { path: { id: tie.id }, header: at(tie.version) } };
const bare = await coordinator.POST("/v1/relationships/{id}/verify", { ...verify, body: { valid_until: day(300) } });
assert.deepEqual(reasons(bare), ["evidence_required"]);
must(
  await coordinator.POST("/v1/relationships/{id}/verify", {
    params: { path: { id: tie.id }, header: at(tie.version) },
    body: { valid_until: day(300), evidence: [await paper(coordinator)] },
  }),
);
const organisation_id = tie.created?.["organisation"];
assert.ok(organisation_id);
const clerk = await invited(admin, "clerk", { roles: ["enterprise"], organisation_id });

// ---- a person with an account of their own
const person = must(
  await coordinator.POST("/v1/trainees", {
    params: { header: once() },
    body: { name_native: "สมชาย ใจดี", name_latin: "JAIDEE, SOMCHAI", birth_on: "2002-08-09", nationality: "TH" },
  }),
);
const trainee = await invited(admin, "trainee", { roles: ["trainee"], person_ids: [person.id] });
const stage = async (): Promise<string> =>
  must(await coordinator.GET("/v1/trainees/{id}", { params: { path: { id: person.id } } })).stage;
assert.equal(await stage(), "prospect");

// ---- the enterprise asks for somebody
let request: components["schemas"]["MovedOut"] = must(
  await clerk.POST("/v1/placement-requests", {
    params: { header: once() },
    body: {
      organisation_id,
      title: "Maintenance technician",
      occupation: "3115",
      destination: "TH",
      pathway: "home_hire",
      nationalities: ["TH"],
      seats: 1,
      no_fee_for_workers: true,
      terms: {
        workplace: "Rayong",
        contract_months: 12,
        gross_monthly_pay: "18000",
        pay_currency: "THB",
        weekly_hours: 40,
        contract_language: "th",
        social_insurance: "statutory",
      },
      starts_on: day(0),
      ends_on: day(365),
      closes_on: day(30),
    },
  }),
);
const asked = () => ({ params: { path: { id: request.id }, header: at(request.version) }, body: {} });
const early = await coordinator.POST("/v1/placement-requests/{id}/approve", asked());
assert.deepEqual(reasons(early), ["not_from_this_state"]);
request = must(await clerk.POST("/v1/placement-requests/{id}/submit", asked()));
request = must(await coordinator.POST("/v1/placement-requests/{id}/take_on", asked()));
request = must(await coordinator.POST("/v1/placement-requests/{id}/approve", asked()));
request = must(await coordinator.POST("/v1/placement-requests/{id}/open", asked()));

// ---- a name, a yes, a choice, an offer, and another yes
let candidacy: components["schemas"]["MovedOut"] = must(
  await coordinator.POST("/v1/candidacies", {
    params: { header: once() },
    body: { person_id: person.id, request_id: request.id },
  }),
);
const proposed = () => ({ params: { path: { id: candidacy.id }, header: at(candidacy.version) } });
candidacy = must(await coordinator.POST("/v1/candidacies/{id}/ask_consent", { ...proposed(), body: {} }));
const hidden = await clerk.GET("/v1/candidacies/{id}", { params: { path: { id: candidacy.id } } });
assert.equal(hidden.response.status, 404);
candidacy = must(await trainee.POST("/v1/candidacies/{id}/nominate", { ...proposed(), body: {} }));
candidacy = must(await clerk.POST("/v1/candidacies/{id}/shortlist", { ...proposed(), body: {} }));
candidacy = must(
  await clerk.POST("/v1/candidacies/{id}/choose", {
    ...proposed(),
    body: { assessment: "paper_selection", reason_code: "skills" },
  }),
);
candidacy = must(
  await clerk.POST("/v1/candidacies/{id}/offer", { ...proposed(), body: { offer_ends_at: `${day(5)}T12:00:00Z` } }),
);
const stale = await trainee.POST("/v1/candidacies/{id}/accept", {
  params: { path: { id: candidacy.id }, header: at(candidacy.version - 1) },
  body: {},
});
assert.equal(stale.response.status, 412);
candidacy = must(await trainee.POST("/v1/candidacies/{id}/accept", { ...proposed(), body: {} }));
const placement = candidacy.created?.["placement"];
assert.ok(placement);
assert.equal(await stage(), "contracted");

// ---- to work, with what the packs ask for on the way
const read = async () => must(await coordinator.GET("/v1/placements/{id}", { params: { path: { id: placement } } }));
const next = async () => ({ params: { path: { id: placement }, header: at((await read()).version) }, body: {} });

/** Hand in and accept whatever the checklist still names for a step; what was there to do. */
async function handIn(action: string): Promise<string[]> {
  const checklist = must(
    await coordinator.GET("/v1/placements/{id}/checklist", { params: { path: { id: placement as string } } }),
  );
  const missing = checklist.items.filter((row) => row.gates.includes(`placement.${action}`) && row.state === "missing");
  for (const row of missing) {
    const who = row.owed_by.includes("enterprise") ? clerk : row.owed_by.includes("trainee") ? trainee : coordinator;
    const subject_id = row.subject === "person" ? person.id : (placement as string);
    const body = { subject_id, key: row.item, issued_on: day(0), valid_until: day(500) };
    const made = must(await who.POST("/v1/requirement-items/supply", { params: { header: once() }, body }));
    must(
      await coordinator.POST("/v1/requirement-items/{id}/accept", {
        params: { path: { id: made.id }, header: at(made.version) },
        body: {},
      }),
    );
  }
  return missing.map((row) => row.key);
}

const without = await coordinator.POST("/v1/placements/{id}/collect_documents", await next());
assert.deepEqual(reasons(without), ["requirement_missing", "requirement_missing", "requirement_missing"]);
assert.deepEqual(await handIn("collect_documents"), [
  "employment_contract",
  "graduation_certificate",
  "skill_certificate",
]);
must(await coordinator.POST("/v1/placements/{id}/collect_documents", await next()));
assert.equal(await stage(), "preparing_departure");
await handIn("start_work");
const unconfirmed = await clerk.POST("/v1/placements/{id}/start_work", await next());
assert.deepEqual(reasons(unconfirmed), ["terms_confirmed"]);
must(await trainee.POST("/v1/placements/{id}/confirm_terms", await next()));
must(await clerk.POST("/v1/placements/{id}/start_work", await next()));
assert.equal(await stage(), "employed");
const offers = must(await coordinator.GET("/v1/placements/{id}/actions", { params: { path: { id: placement } } })).actions;
assert.deepEqual(offers.filter((o) => o.action === "complete").map((o) => [o.open, o.reasons.map((r) => r.code)]), [
  [false, ["contract_ended_on"]],
]);
console.log("From a request to the first day of work, by a client made from the contract.");
