// Byte-pair merges of words of any length: the library makes an object and a JSON text for each pair, seconds for the longest that a model reads.

/** What of the library's model is used; its types do not have it. */
type Model = {
  config: { type?: string };
  merges: [left: string, right: string][];
  end_of_word_suffix?: string | null;
  continuing_subword_suffix: string | null;
  bpe(word: string): string[];
};

/** Words below this length the library keeps the tokens of, and takes no time for. */
const LONG = 256;

/** The tokens of a long word are found here, the same ones: pairs by their rank, of the same rank the first. */
export function mendLongWords<Library extends object>(library: Library): Library {
  const { model } = library as { model?: Model };
  if (model?.config.type !== "BPE") return library;
  const ofShort = model.bpe.bind(model);
  let ofLong: ((word: string) => string[]) | undefined;
  model.bpe = (word) => {
    if (word.length < LONG) return ofShort(word);
    ofLong ??= createMerger(model);
    return ofLong(word);
  };
  return library;
}

/** Of two ids as one number, which a double holds exactly. */
const ID_SPAN = 2 ** 26;
/** Of a rank and a place in a word as one number: the heap's order. */
const PLACE_SPAN = 2 ** 32;

/** Symbols are numbered as they come in the merges; those that no merge has get numbers for their word alone. */
function createMerger({ merges, end_of_word_suffix: end, continuing_subword_suffix: suffix }: Model) {
  const ids = new Map<string, number>();
  const idOf = (symbol: string, known: Map<string, number>) => {
    const id = known.get(symbol);
    if (id !== undefined) return id;
    known.set(symbol, known.size);
    return known.size - 1;
  };
  const ranks = new Map<number, number>();
  const merged = new Int32Array(merges.length);
  for (const [rank, [left, right]] of merges.entries()) {
    ranks.set(idOf(left, ids) * ID_SPAN + idOf(right, ids), rank);
    merged[rank] = idOf(left + right, ids);
  }
  const names = [...ids.keys()];

  return (word: string): string[] => {
    const characters = Array.from(word);
    if (end) characters[characters.length - 1] += end;
    const own = new Map<string, number>();
    const symbols = new Int32Array(characters.length);
    for (const [at, each] of characters.entries()) symbols[at] = ids.get(each) ?? names.length + idOf(each, own);
    const ownNames = [...own.keys()];
    const tokens = merge(symbols, { ranks, merged }).map((id) => names[id] ?? ownNames[id - names.length] ?? "");
    return suffix ? tokens.map((token, at) => (at < tokens.length - 1 ? token + suffix : token)) : tokens;
  };
}

type Merges = { ranks: ReadonlyMap<number, number>; merged: Int32Array };

/** The symbols that are left when no two neighbours merge any more. */
function merge(symbols: Int32Array, { ranks, merged }: Merges): number[] {
  const { length } = symbols;
  const next = new Int32Array(length);
  const previous = new Int32Array(length);
  for (let at = 0; at < length; at++) {
    next[at] = at + 1;
    previous[at] = at - 1;
  }
  // A pair is known by its first place; what it is now tells whether what was once put into the heap still holds.
  const rankAt = (at: number): number => {
    const after = next[at] as number; // inside the word, as all places here
    if (after >= length) return -1;
    return ranks.get((symbols[at] as number) * ID_SPAN + (symbols[after] as number)) ?? -1;
  };
  const heap = createHeap(2 * length);
  const offer = (at: number) => {
    const rank = at < 0 ? -1 : rankAt(at);
    if (rank >= 0) heap.push(rank * PLACE_SPAN + at);
  };
  for (let at = 0; at < length; at++) offer(at);
  for (let first = heap.pop(); first >= 0; first = heap.pop()) {
    const at = first % PLACE_SPAN;
    const rank = (first - at) / PLACE_SPAN;
    if (symbols[at] === GONE || rankAt(at) !== rank) continue;
    const after = next[at] as number;
    symbols[at] = merged[rank] as number;
    symbols[after] = GONE;
    next[at] = next[after] as number;
    if ((next[at] as number) < length) previous[next[at] as number] = at;
    offer(at);
    offer(previous[at] as number);
  }
  const left: number[] = [];
  for (let at = 0; at < length; at = next[at] as number) left.push(symbols[at] as number);
  return left;
}

const GONE = -1;

/** Numbers, the smallest first; -1 when there are none. Its room doubles where it is full. */
function createHeap(room: number) {
  let heap = new Float64Array(room);
  let size = 0;
  const at = (index: number) => heap[index] as number; // inside the heap, as all places here
  return {
    push(value: number): void {
      if (size === heap.length) {
        const larger = new Float64Array(2 * size + 1);
        larger.set(heap);
        heap = larger;
      }
      let place = size++;
      while (place > 0) {
        const parent = (place - 1) >> 1;
        if (at(parent) <= value) break;
        heap[place] = at(parent);
        place = parent;
      }
      heap[place] = value;
    },
    pop(): number {
      if (size === 0) return -1;
      const smallest = at(0);
      const value = at(--size);
      let place = 0;
      for (let child = 1; child < size; child = 2 * place + 1) {
        if (child + 1 < size && at(child + 1) < at(child)) child++;
        if (at(child) >= value) break;
        heap[place] = at(child);
        place = child;
      }
      heap[place] = value;
      return smallest;
    },
  };
}
