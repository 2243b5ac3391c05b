// Which models there are, decided from the files as they are now and from what was served before. Pure.
import type { CatalogEntry } from "./catalog-entry.ts";
import { BUILT_IN, namesOf, withoutAliases } from "./entry.ts";
import type { WrongFile } from "./wrong-file.ts";

/** What an operator's file says. */
export type FileContent = { file: string; entry: CatalogEntry } | WrongFile;

export type Settled = {
  entries: readonly CatalogEntry[];
  wrong: readonly WrongFile[];
  /** By ids that mean nothing because files that claim them are wrong. */
  blocked: ReadonlyMap<string, readonly WrongFile[]>;
};

type Given = { builtIn: readonly CatalogEntry[]; files: readonly FileContent[]; before?: Settled | undefined };

/**
 * Two files that claim one id are both wrong. A start serves nothing that may not be meant: ids that a wrong file claims are blocked, also where a
 * built-in model has them. What was served before is not taken away by a mistake: a file that became wrong keeps its model, and ids keep
 * what they meant.
 */
export function settle({ builtIn, files, before }: Given): Settled {
  const { right, wrong } = withoutRivals(files, builtIn);
  const kept = keptModels(wrong, {
    right,
    builtIn,
    before,
    isThere: (file) => files.some((each) => each.file === file),
  });
  const own = [...right.map(({ entry }) => entry), ...kept.values()];
  const told = wrong.map((each) => withKept(each, kept.get(each.file)));
  const blocked = blockedBy(told, { own, builtIn, before });
  const replaced = new Set([...own.map(({ model }) => model.id), ...blocked.keys()]);
  const taken = new Set([...own.flatMap(namesOf), ...blocked.keys()]);
  const left = builtIn
    .filter(({ model }) => !replaced.has(model.id))
    .map((entry) => withoutAliases(entry, (alias) => taken.has(alias)));
  return { entries: [...left, ...own].map((entry) => asBefore(entry, before)), wrong: told, blocked };
}

type Right = Extract<FileContent, { entry: CatalogEntry }>;
type Sorted = { right: Right[]; wrong: WrongFile[] };

/** An alias of a built-in model gives way to an operator's file, its id only to that of one. */
function withoutRivals(files: readonly FileContent[], builtIn: readonly CatalogEntry[]): Sorted {
  const claimed = files.filter(isRight);
  const wrong = files.filter((each): each is WrongFile => !isRight(each));
  const claimants = Map.groupBy(
    claimed.flatMap(({ file, entry }) => namesOf(entry).map((name) => ({ name, file }))),
    ({ name }) => name,
  );
  const rivalOf = ({ file, entry }: Right, replaced: ReadonlySet<string>) => {
    for (const name of namesOf(entry)) {
      const others = (claimants.get(name) ?? []).filter((each) => each.file !== file).map((each) => each.file);
      if (others.length > 0) return { name, by: others.join(" and ") };
      const isBuiltIn = builtIn.some(({ model }) => model.id === name);
      if (isBuiltIn && name !== entry.model.id && !replaced.has(name))
        return { name, by: `the built-in model ${name}` };
    }
    return undefined;
  };
  let right = claimed;
  for (let count = -1; count !== right.length; ) {
    count = right.length;
    const replaced = new Set(right.map(({ entry }) => entry.model.id));
    right = right.filter((each) => {
      const rival = rivalOf(each, replaced);
      if (rival) wrong.push(rivalled(each, rival));
      return !rival;
    });
  }
  return { right, wrong: wrong.toSorted((a, b) => (a.file < b.file ? -1 : 1)) };
}

const isRight = (content: FileContent): content is Right => "entry" in content;

const rivalled = ({ file, entry }: Right, { name, by }: { name: string; by: string }): WrongFile => ({
  file,
  reason: `${file}: the id ${name} is already taken by ${by}.`,
  claims: namesOf(entry),
  id: entry.model.id,
});

type Keeping = Pick<Given, "builtIn" | "before"> & { right: readonly Right[]; isThere(file: string): boolean };

/** By the wrong file: what it was before, or what another file was that it took the place of. */
function keptModels(wrong: readonly WrongFile[], { right, builtIn, before, isThere }: Keeping) {
  const kept = new Map<string, CatalogEntry>();
  const taken = new Set(right.flatMap(({ entry }) => namesOf(entry)));
  const earlier = before?.entries.filter(({ origin }) => origin !== BUILT_IN) ?? [];
  for (const { file, id } of wrong) {
    const heir =
      earlier.find(({ origin }) => origin === file) ??
      earlier.find(({ origin, model }) => model.id === id && !isThere(origin));
    if (!heir) continue;
    const mine = namesOf(heir);
    const isBuiltIn = (name: string) => name !== heir.model.id && builtIn.some(({ model }) => model.id === name);
    if (mine.some((name) => taken.has(name) || isBuiltIn(name))) continue;
    for (const name of mine) taken.add(name);
    kept.set(file, heir.origin === file ? heir : { ...heir, origin: file });
  }
  return kept;
}

const withKept = (wrong: WrongFile, kept: CatalogEntry | undefined): WrongFile =>
  kept ? { ...wrong, keeps: kept.model.id } : wrong;

type Blocking = Pick<Given, "builtIn" | "before"> & { own: readonly CatalogEntry[] };

function blockedBy(wrong: readonly WrongFile[], { own, builtIn, before }: Blocking): Settled["blocked"] {
  const served = new Set([...own, ...(before?.entries ?? [])].flatMap(namesOf));
  const builtInIds = new Set(builtIn.map(({ model }) => model.id));
  const blocks = wrong.flatMap((each) =>
    each.claims
      .filter((name) => !served.has(name) && (name === each.id || !builtInIds.has(name)))
      .map((name) => ({ name, each })),
  );
  const byName = Map.groupBy(blocks, ({ name }) => name);
  return new Map([...byName].map(([name, blocking]) => [name, blocking.map(({ each }) => each)]));
}

/** The very same where nothing of it changed, so that what was worked out from it still holds. */
function asBefore(entry: CatalogEntry, before: Settled | undefined): CatalogEntry {
  const earlier = before?.entries.find(({ model }) => model.id === entry.model.id);
  const isSame = earlier && earlier.origin === entry.origin && Bun.deepEquals(earlier.model, entry.model);
  return isSame ? earlier : entry;
}
