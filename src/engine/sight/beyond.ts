// What a prompt holds beside words: vectors of pictures under numbers beyond the vocabulary, and where they are.
import type { Look } from "./look.ts";
import type { SeenPicture } from "./seen-pictures.ts";

export type Beyond = {
  /** Of a number beyond the vocabulary; undefined for a word's. */
  vector(token: number): Float32Array | undefined;
  /** Time, row and column of the token at an index, for graphs that are told all three. */
  place(index: number): readonly [number, number, number];
};

export type Placed = { seen: SeenPicture; look: Pick<Look, "grid" | "vectors"> };

/** `tokens`: the prompt, with `mark` wherever a vector goes. Numbers and places of what is read. */
export function beyondOf(tokens: readonly number[], { mark, pictures }: { mark: number; pictures: readonly Placed[] }) {
  const numbers = pictures.flatMap(({ seen: { first, count } }) =>
    Array.from({ length: count }, (_, at) => first + at),
  );
  let taken = 0;
  const read = tokens.map((token) => (token === mark ? (numbers[taken++] ?? token) : token));
  const { places, end } = placesOf(tokens, mark, pictures);
  const beyond: Beyond = {
    vector(token) {
      const found = pictures.find(({ seen: { first, count } }) => token >= first && token < first + count);
      if (!found) return undefined;
      const { first, count, vectors } = found.seen;
      const width = vectors.length / count;
      return vectors.subarray((token - first) * width, (token - first + 1) * width);
    },
    place(index) {
      // What is read after the prompt is words, one after the other.
      const at = end + index - tokens.length;
      return places[index] ?? [at, at, at];
    },
  };
  return { read, beyond };
}

type Place = readonly [number, number, number];

/** A picture's vectors are at one time; what follows it begins behind its longer edge. As Qwen2-VL's get_rope_index. */
function placesOf(tokens: readonly number[], mark: number, pictures: readonly Placed[]) {
  const places: Place[] = [];
  let [now, picture] = [0, 0];
  for (let i = 0; i < tokens.length; ) {
    const grid = tokens[i] === mark ? pictures[picture]?.look.grid : undefined;
    if (!grid) {
      places.push([now, now, now]);
      now++;
      i++;
      continue;
    }
    for (let at = 0; at < grid.rows * grid.columns; at++)
      places.push([now, now + Math.floor(at / grid.columns), now + (at % grid.columns)]);
    now += Math.max(grid.rows, grid.columns);
    i += grid.rows * grid.columns;
    picture++;
  }
  return { places, end: now };
}
