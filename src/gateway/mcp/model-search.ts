// Which models fit a wish in free words: each word counts by where it is found.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";

/** What is said with many words should not be found by these. */
const SMALL_WORDS = new Set(
  (
    "a an and are as at be by can do for from get give how i in into is it make me my need of on or some that the " +
    "this to turn use want what which with"
  ).split(" "),
);

export const wordsOf = (text: string): string[] => [
  ...new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !SMALL_WORDS.has(word))),
];

const WEIGHTS = { names: 4, category: 3, tags: 3, title: 3, description: 2, fields: 1 };

export type Ranked = { entry: CatalogEntry; score: number };

/** Best first; those in which no word is found are left out. */
export function rank(entries: readonly CatalogEntry[], text: string): Ranked[] {
  const words = wordsOf(text);
  return entries
    .map((entry) => ({ entry, score: scoreOf(entry, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

function scoreOf({ model, input }: CatalogEntry, words: string[]): number {
  const places = {
    names: [model.id, ...model.aliases].join(" "),
    category: model.category,
    tags: model.tags.join(" "),
    title: model.title,
    description: model.description,
    fields: Object.entries(input.properties)
      .map(([name, { description = "" }]) => `${name} ${description}`)
      .join(" "),
  } satisfies Record<keyof typeof WEIGHTS, string>;
  const found = Object.entries(places).flatMap(([place, text]) => {
    const there = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
    const weight = WEIGHTS[place as keyof typeof WEIGHTS]; // the keys of places
    return words.filter((word) => isThere(word, there)).map(() => weight);
  });
  return found.reduce((sum, weight) => sum + weight, 0);
}

/** `images` finds `image`, and the other way round. */
const isThere = (word: string, there: ReadonlySet<string>) =>
  there.has(word) || there.has(`${word}s`) || (word.endsWith("s") && there.has(word.slice(0, -1)));
