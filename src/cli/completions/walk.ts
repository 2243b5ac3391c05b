// What the scripts of bash and zsh share: case patterns over the place that the words before the cursor lead to.
import type { CommandFacts, Value } from "./describe.ts";

/** Lists ids in their first column, below a header. */
export const LIST_MODELS = `forecourt models list 2>/dev/null | awk 'NR > 1 { print $1 }'`;

export const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Alternatives of a case pattern; one that matches nothing where there are none. */
export const pattern = (words: readonly string[]) => (words.length > 0 ? words.map(quoted).join("|") : "''");

/** Of all commands but the program itself. */
export const pathsOf = (commands: readonly CommandFacts[]) =>
  commands.map(({ path }) => path).filter((path) => path !== "");

type Act = (value: Value) => string | undefined;

/** `' keys create --scope'`: options that are followed by a value, each after its command's path. */
export const optionsWithValues = (commands: readonly CommandFacts[]) =>
  commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, value }) => (value ? [{ place: `${path} ${word}`, value }] : [])),
  );

/** The lines of a case over what `optionsWithValues` tells. */
export const optionCases = (commands: readonly CommandFacts[], act: Act): string[] =>
  cases(
    optionsWithValues(commands).map(({ place, value }) => ({ place: quoted(place), value })),
    act,
  );

/** The lines of a case over `models export/0`; `models export/*`, for all that follow, comes after what is said of single ones. */
export function argumentCases(commands: readonly CommandFacts[], act: Act): string[] {
  const places = commands.flatMap(({ path, values, takesMore }) =>
    values.map((value, index) => ({ path, value, index, isOpen: takesMore && index === values.length - 1 })),
  );
  const single = places.filter(({ isOpen }) => !isOpen);
  const open = places.filter(({ isOpen }) => isOpen);
  return [
    ...cases(
      single.map(({ path, index, value }) => ({ place: quoted(`${path}/${index}`), value })),
      act,
    ),
    ...cases(
      open.map(({ path, value }) => ({ place: `${quoted(`${path}/`)}*`, value })),
      act,
    ),
  ];
}

/** The lines of a case, those that do the same together. */
function cases(places: readonly { place: string; value: Value }[], act: Act): string[] {
  const byAct = new Map<string, string[]>();
  for (const { place, value } of places) {
    const done = act(value);
    if (done !== undefined) byAct.set(done, [...(byAct.get(done) ?? []), place]);
  }
  return [...byAct].map(([done, all]) => `    ${all.join("|")}) ${done} ;;`);
}
