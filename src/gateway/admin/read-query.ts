// The query string of an administrator: every field by its name, each as its schema says.
import { parseExactly, type Static, type TObject, Type } from "../../core/schema.ts";
import { inputFromQuery } from "../fal/query-input.ts";

/** Of lists that come in pages, with as many of them in one as nothing says otherwise, and at most. */
export const pageQuery = (usual: number, most: number) =>
  Type.Object({
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: "`next` of the page before" })),
    limit: Type.Integer({ default: usual, minimum: 1, maximum: most }),
  });

type Page = Static<ReturnType<typeof pageQuery>>;

/** In the order of `placeOf`, from behind `after`; `next` is null at the end. */
export function pageIn<Item>(items: readonly Item[], placeOf: (item: Item) => string, { after, limit }: Page) {
  const left = items
    .map((item) => ({ item, place: placeOf(item) }))
    .filter(({ place }) => after === undefined || place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const shown = left.slice(0, limit);
  return {
    shown: shown.map(({ item }) => item),
    next: left.length > limit ? (shown.at(-1)?.place ?? null) : null,
  };
}

/** Throws `invalid_input`. An address has no null: what reads so is a text, unlike in models' inputs, where fal's clients write it. */
export function readQuery<Schema extends TObject>(schema: Schema, query: URLSearchParams): Static<Schema> {
  const given = Object.entries(inputFromQuery(schema, query));
  return parseExactly(schema, Object.fromEntries(given.map(([name, value]) => [name, value ?? "null"])), ["query"]);
}
