// `models add`: a Hub repository becomes a model file of the operator, its files pinned by commit and sha256.
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { YAML } from "bun";
import { ForecourtError } from "../../../core/errors.ts";
import type { Model } from "../../../engine/model.ts";
import { modelOn } from "../../../engine/variants.ts";
import { fetchSmall } from "../../weights/fetch-small.ts";
import type { HubFile } from "../../weights/hub.ts";
import { type Catalog, createCatalog } from "../catalog.ts";
import { readModel } from "../read-model.ts";
import { type DraftWishes, recognise } from "./recognise.ts";
import { type HubTools, readRepository } from "./repository.ts";

export type AddOrder = {
  /** `owner/name`, and a branch, tag or commit. */
  repo: string;
  revision: string;
  /** The data directory. */
  data: string;
  wishes: DraftWishes;
  tools: HubTools;
};

/** `bytes`: of what one kind of device takes, the one of `wishes.room` or the CPU. */
export type AddedModel = { model: Model; file: string; bytes: number; unsure: string[] };

/**
 * Writes `<data>/models/<id with -- for />.yaml`. Throws `misconfigured` for what cannot be served or an id that is
 * taken, hub.ts's errors, and nothing is written then.
 */
export async function addModel({ repo, revision, data, wishes, tools }: AddOrder): Promise<AddedModel> {
  const { repository, listing } = await readRepository({ repo, revision }, tools);
  const draft = recognise(repository, wishes);
  const folder = join(data, "models");
  const file = join(folder, `${draft.model.id.replaceAll("/", "--")}.yaml`);
  expectFree(draft.model.id, createCatalog({ data }), file);
  const pin = createPin({ repo, commit: repository.commit }, listing, tools);
  const { price, memory, variants, ...rest } = draft.model;
  const source = { repo, revision: repository.commit, files: await pin(draft.files) };
  const choices: Record<string, unknown> = {};
  for (const [name, variant] of Object.entries(variants ?? {}))
    choices[name] = { ...variant, files: await pin(draft.variantFiles[name] ?? []) };
  const content = { ...rest, memory, price, source, ...(variants && { variants: choices }) };
  const text = `# Made by \`forecourt models add ${repo}\`; yours to change.\n${YAML.stringify(content, null, 2)}\n`;
  const model = readModel({ file, text });
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
  const here = modelOn(model, wishes.room?.kind ?? "cpu").source;
  const bytes = "files" in here ? here.files.reduce((sum, each) => sum + each.bytes, 0) : 0;
  return { model, file, bytes, unsure: draft.unsure };
}

function expectFree(id: string, catalog: Catalog, file: string): void {
  const taken = catalog.find(id);
  const refusal = catalog.refusal(id);
  if (refusal) throw refusal;
  if (!taken && !existsSync(file)) return;
  const by = taken ? (taken.origin === "built-in" ? `the built-in model ${taken.model.id}` : taken.origin) : file;
  throw new ForecourtError("misconfigured", `The id ${id} is taken by ${by}. Give another one with --id.`, {
    details: { reason: "id_taken" },
  });
}

/** The listing tells the sha256 of large files; small ones are fetched to compute it. */
function createPin(at: { repo: string; commit: string }, listing: readonly HubFile[], tools: HubTools) {
  return async (files: readonly { path: string }[]) => {
    const wanted = new Set(files.map(({ path }) => path));
    const result: { path: string; bytes: number; sha256: string }[] = [];
    for (const file of listing.filter(({ path }) => wanted.has(path))) {
      const { path, bytes, digest } = file;
      const sha256 = digest.algorithm === "sha256" ? digest.hex : sha256Of(await fetchSmall({ ...at, file }, tools));
      result.push({ path, bytes, sha256 });
    }
    return result;
  };
}

const sha256Of = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
