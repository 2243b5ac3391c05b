// The models that this box offers: files of models/ inside the executable, then <data>/models/, by id and alias; read anew as a whole.
import { ForecourtError } from "../../core/errors.ts";
import { type ReadModel, readBuiltIn } from "./built-in.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import { BUILT_IN, entryOf, namesOf } from "./entry.ts";
import { type LookUps, lookUps } from "./look-ups.ts";
import type { ModelFile } from "./models.macro.ts";
import { type OperatorFile, operatorFiles } from "./operator-files.ts";
import { readModel } from "./read-model.ts";
import { type FileContent, type Settled, settle } from "./settle.ts";
import { claimsOf, type WrongFile } from "./wrong-file.ts";

export type { CatalogEntry, Endpoint } from "./catalog-entry.ts";

export type Catalog = LookUps;

/** What a reload came to. Models are there as they are and as they were. */
export type CatalogChange = {
  added: CatalogEntry[];
  changed: { entry: CatalogEntry; before: CatalogEntry }[];
  removed: CatalogEntry[];
  wrong: readonly WrongFile[];
};

/** All look-ups change at once. Throws `misconfigured` where the files cannot be listed, and nothing is changed then. */
export type ReloadableCatalog = Catalog & { reload(): CatalogChange };

/**
 * Reads `<data>/models/*.yaml` too when `data` is given; those that are wrong are left out, see `wrong`. Throws `misconfigured`, naming file and
 * field, for other files that are, and for two of them that claim one id or alias.
 */
export function createCatalog({ data, builtIn }: { data?: string; builtIn?: ModelFile[] }): ReloadableCatalog {
  const carried = (builtIn?.map(readFile) ?? readBuiltIn()).map((read) => ({
    ...read,
    entry: entryOf(read, BUILT_IN),
  }));
  expectDistinct(carried);
  const entries = carried.map(({ entry }) => entry);
  const read = createReader(data);
  let settled = settle({ builtIn: entries, files: read() });
  let found = lookUps(settled);
  return {
    list: () => found.list(),
    worded: () => found.worded(),
    find: (endpoint) => found.find(endpoint),
    match: (path) => found.match(path),
    wrong: () => found.wrong(),
    refusal: (path) => found.refusal(path),
    reload() {
      const before = settled;
      settled = settle({ builtIn: entries, files: read(), before });
      found = lookUps(settled);
      return changeOf(before, settled);
    },
  };
}

const readFile = (file: ModelFile): ReadModel => ({ file: file.file, model: readModel(file) });

function expectDistinct(carried: readonly { file: string; entry: CatalogEntry }[]): void {
  const by = new Map<string, string>();
  for (const { file, entry } of carried)
    for (const name of namesOf(entry)) {
      const other = by.get(name);
      if (other) throw new ForecourtError("misconfigured", `${file}: the id ${name} is already taken by ${other}.`);
      by.set(name, file);
    }
}

/** A file whose text has not changed says what it said. */
function createReader(data: string | undefined): () => FileContent[] {
  let known = new Map<string, { text: string; content: FileContent }>();
  return () => {
    const fresh: typeof known = new Map();
    const contents = (data === undefined ? [] : operatorFiles(data)).map((each) => {
      if ("complaint" in each) return contentOf(each);
      const { file, text } = each;
      const earlier = known.get(file);
      const content = earlier?.text === text ? earlier.content : contentOf(each);
      fresh.set(file, { text, content });
      return content;
    });
    known = fresh;
    return contents;
  };
}

function contentOf(read: OperatorFile): FileContent {
  const { file } = read;
  if ("complaint" in read) return { file, reason: read.complaint, claims: [] };
  try {
    return { file, entry: entryOf(readFile(read), file) };
  } catch (error) {
    if (!(error instanceof ForecourtError)) throw error;
    return { file, reason: error.message, ...claimsOf(read.text) };
  }
}

function changeOf(before: Settled, { entries, wrong }: Settled): CatalogChange {
  const earlier = new Map(before.entries.map((entry) => [entry.model.id, entry]));
  const present = new Set(entries.map(({ model }) => model.id));
  return {
    added: entries.filter(({ model }) => !earlier.has(model.id)),
    changed: entries.flatMap((entry) => {
      const was = earlier.get(entry.model.id);
      return was && was !== entry ? [{ entry, before: was }] : [];
    }),
    removed: before.entries.filter(({ model }) => !present.has(model.id)),
    wrong,
  };
}
