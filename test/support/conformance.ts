// What a client test has shown is noted, so that the README's table of conformance is made by the tests.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Behaviour, behaviourNames, type Client, clientNames, type Proofs } from "../conformance/behaviours.ts";

/** Notes of all test processes since it was last removed; one line is one append, so they do not mix. */
export const NOTES = join(import.meta.dir, "../../.cache/conformance.jsonl");

/** The last line of a test: reached, it says that `client`, unmodified, showed these behaviours. */
export function proved(client: Client, ...behaviours: Behaviour[]): void {
  mkdirSync(dirname(NOTES), { recursive: true });
  appendFileSync(NOTES, `${JSON.stringify({ client, behaviours })}\n`);
}

type Note = { client: Client; behaviours: Behaviour[] };

/** Everything noted so far; what is in the table no more is left out. */
export function notedProofs(file = NOTES): Proofs {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  return joined(
    lines.map((line) => {
      const { client, behaviours } = JSON.parse(line) as Note; // as `proved` writes it
      return Object.fromEntries(behaviours.map((behaviour) => [behaviour, [client]]));
    }),
  );
}

/** In the order of the table. */
export function joined(all: Proofs[]): Proofs {
  return Object.fromEntries(
    behaviourNames.flatMap((behaviour) => {
      const by = clientNames.filter((client) => all.some((proofs) => proofs[behaviour]?.includes(client)));
      return by.length > 0 ? [[behaviour, by]] : [];
    }),
  );
}
