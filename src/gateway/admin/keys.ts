// Keys and limits over HTTP, for admins: make, list, show, revoke and rotate keys; set what accounts may take.
import { ACCOUNT_KINDS, type Account } from "../../control/accounts/account.ts";
import { keyWords, limitWords, readLimits, stateWords } from "../../control/accounts/account-words.ts";
import type { Appliance } from "../../control/appliance.ts";
import type { Key } from "../../control/keys/key.ts";
import { makeKey, readNewKey, seconds } from "../../control/keys/new-key.ts";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { parseExactly, Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { pageIn, pageQuery, readQuery } from "./read-query.ts";

export type KeyBox = Pick<Appliance, "keys" | "accounts"> & { clock: Clock };
type LimitBox = KeyBox & Pick<Appliance, "catalog">;

/** `key` is in the answer this once. Throws `invalid_input`. */
export function createKey(box: KeyBox, body: unknown): Response {
  const now = box.clock.now();
  const asked = readNewKey(body, now);
  const { key, secret } = makeKey(box, asked);
  return Response.json({ ...keyWords(key, { limits: asked.limits, now }), key: secret }, { status: 201 });
}

const published = ({ accounts, clock }: KeyBox, key: Key) =>
  keyWords(key, { limits: accounts.limitsOf({ kind: "key", id: key.id }), now: clock.now() });

export const keyPage = pageQuery(1000, 10_000);
/** Of each it is looked up what was used. */
export const limitPage = pageQuery(200, 1000);

/** In the order in which they were made. Throws `invalid_input`. */
export function listKeys(box: KeyBox, query: URLSearchParams): Response {
  const { after, limit } = readQuery(keyPage, query);
  const left = box.keys.page({ after, limit: limit + 1 });
  const shown = left.slice(0, limit);
  const next = left.length > limit ? (shown.at(-1)?.id ?? null) : null;
  return Response.json({ keys: shown.map((key) => published(box, key)), next });
}

/** With what it has used and left. Throws `not_found`. */
export function showKey(box: KeyBox, id: string): Response {
  const key = box.keys.find(id);
  if (key?.id !== id) throw new ForecourtError("not_found", `There is no key ${id.slice(0, 100)}.`);
  return Response.json({
    ...published(box, key),
    usage: stateWords(box.accounts.stateOf({ kind: "key", id: key.id })),
  });
}

/** Throws `not_found`. */
export const revokeKey = (box: KeyBox, id: string) => Response.json(published(box, box.keys.revoke(asId<KeyId>(id))));

export const rotationSchema = Type.Object({
  overlap: { ...seconds("Seconds for which the secret before is good too", 0), default: 86_400 },
});

/** Throws `not_found` and `invalid_input`. */
export function rotateKey(box: KeyBox, id: string, body: unknown): Response {
  const { overlap } = parseExactly(rotationSchema, body);
  const { key, secret } = box.keys.rotate(asId<KeyId>(id), milliseconds(overlap * 1000));
  return Response.json({ ...published(box, key), key: secret });
}

/** A fifth of a millisecond each; between so many the server does its other work. */
const ACCOUNTS_AT_ONCE = 20;

/** Throws `invalid_input`. */
export async function listLimits({ accounts }: KeyBox, query: URLSearchParams): Promise<Response> {
  const placeOf = ({ kind, id }: Account) => `${kind} ${id}`;
  const { shown, next } = pageIn(accounts.limited(), placeOf, readQuery(limitPage, query));
  const found = [];
  for (const [at, { kind, id, limits }] of shown.entries()) {
    if (at % ACCOUNTS_AT_ONCE === ACCOUNTS_AT_ONCE - 1) await new Promise(setImmediate);
    found.push({ kind, id, limits: limitWords(limits), usage: stateWords(accounts.stateOf({ kind, id })) });
  }
  return Response.json({ accounts: found, next });
}

/** Replaces all limits of the account; none in the body ends them. Throws `not_found` and `invalid_input`. */
export function setLimits(box: LimitBox, given: { kind: string; id: string }, body: unknown): Response {
  const { accounts } = box;
  const account = foundAccount(box, accountOf(given));
  accounts.store.setLimits(account, readLimits(body));
  return Response.json({
    ...account,
    limits: limitWords(accounts.limitsOf(account)),
    usage: stateWords(accounts.stateOf(account)),
  });
}

/**
 * Throws `not_found`: limits of what does not exist would limit nothing, and so would those of a model's other names. A
 * model that is gone can still be rid of its limits; a team is there as soon as it is named.
 */
function foundAccount({ accounts, keys, catalog }: LimitBox, { kind, id }: Account): Account {
  const found = {
    key: () => keys.get(asId<KeyId>(id))?.id,
    team: () => id,
    model: () =>
      catalog.find(id)?.model.id ?? accounts.limited().find((each) => each.kind === kind && each.id === id)?.id,
  }[kind]();
  if (found === undefined) throw new ForecourtError("not_found", `There is no ${kind} ${id.slice(0, 100)}.`);
  return { kind, id: found };
}

function accountOf({ kind, id }: { kind: string; id: string }): Account {
  const known = ACCOUNT_KINDS.find((each) => each === kind);
  if (known) return { kind: known, id };
  throw new ForecourtError(
    "not_found",
    `Limits are of a ${ACCOUNT_KINDS.join(", a ")}, not of a ${kind.slice(0, 100)}.`,
  );
}
