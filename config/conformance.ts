// `bun run conformance`: what the tests showed since .cache/conformance.jsonl was removed goes into the README's tables.
// `--exact` forgets what they did not show again; `--check` writes nothing and fails where they showed something else:
// outside of CI, where tests may be skipped for want of rights, only where they showed more.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Behaviour,
  behaviourNames,
  clientNames,
  type Proofs,
  withTables,
} from "../test/conformance/behaviours.ts";
import { joined, notedProofs } from "../test/support/conformance.ts";

const ROOT = join(import.meta.dir, "..");
const PROVED = join(ROOT, "test/conformance/proved.json");
const README = join(ROOT, "README.md");
const say = (text: string) => process.stdout.write(`${text}\n`);

const recorded = JSON.parse(readFileSync(PROVED, "utf8")) as Proofs; // as written below
const noted = notedProofs();
const has = (proofs: Proofs, behaviour: Behaviour, client: (typeof clientNames)[number]) =>
  proofs[behaviour]?.includes(client) ?? false;

if (process.argv.includes("--check")) {
  const present = clientNames.filter((client) => behaviourNames.some((behaviour) => has(noted, behaviour, client)));
  for (const client of clientNames.filter((each) => !present.includes(each)))
    say(`not tested in this run, for want of its package: ${client}`);
  const differing = (isShown: boolean) =>
    present.flatMap((client) =>
      behaviourNames
        .filter((each) => has(noted, each, client) === isShown && has(recorded, each, client) === !isShown)
        .map((each) => `${client}, ${each}`),
    );
  const more = differing(true).map((each) => `${each}: shown, but the README does not say so`);
  const less = differing(false).map((each) => `${each}: the README says so, but no test showed it`);
  for (const each of [...more, ...less]) say(each);
  const wrong = process.env.CI ? [...more, ...less] : more;
  if (wrong.length > 0) say("If that is right: bun run conformance --exact");
  process.exitCode = wrong.length > 0 ? 1 : 0;
} else {
  const next = process.argv.includes("--exact") ? noted : joined([recorded, noted]);
  writeFileSync(PROVED, `${JSON.stringify(next, null, 2)}\n`);
  writeFileSync(README, withTables(readFileSync(README, "utf8"), next));
  say(`${Object.keys(next).length} behaviours`);
}
