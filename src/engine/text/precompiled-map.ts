// sentencepiece's own table of what becomes of which signs before a text is cut into pieces, read as its Rust port does.

/**
 * `encoded`: precompiled_charsmap of tokenizer.json, base64: the length of a double-array trie, the trie, and the texts
 * that its leaves point to, each ended by a zero.
 */
export function readCharsMap(encoded: string): (text: string) => string {
  const bytes = Uint8Array.fromBase64(encoded);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(0, true);
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  const lookUp = (part: string) => {
    const at = firstLeaf(units, utf8.encode(part));
    return at === undefined ? undefined : decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
  };
  const known = new Map<string, string>();
  const replace = (cluster: string) => {
    const made = replaceCluster(cluster, lookUp);
    if (known.size < MOST_KNOWN) known.set(cluster, made);
    return made;
  };
  return (text) => {
    let result = "";
    for (const cluster of clustersOf(text)) result += known.get(cluster) ?? replace(cluster);
    return result;
  };
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder();
/** What is read as one sign, with its accents. */
const clusters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const MOST_KNOWN = 10_000;

/** Of plain ASCII each sign is one; finding that out for other texts takes its time. */
function* clustersOf(text: string): Generator<string> {
  if (/^[\x20-\x7e]*$/.test(text)) yield* text;
  else for (const { segment } of clusters.segment(text)) yield segment;
}

/** spm_precompiled 0.1: longer clusters are looked up sign by sign. */
const LONGEST_BYTES = 5;

function replaceCluster(cluster: string, lookUp: (part: string) => string | undefined): string {
  const whole = utf8.encode(cluster).length <= LONGEST_BYTES ? lookUp(cluster) : undefined;
  return whole ?? [...cluster].map((sign) => lookUp(sign) ?? sign).join("");
}

/** Value of the shortest key that `bytes` begins with. Layout of a unit: darts-clone's double array. */
function firstLeaf(units: Uint32Array, bytes: Uint8Array): number | undefined {
  let node = offsetOf(units[0] ?? 0);
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    node ^= byte;
    const unit = units[node] ?? 0;
    if ((unit & 0x8000_00ff) >>> 0 !== byte) return undefined;
    node ^= offsetOf(unit);
    if ((unit >>> 8) & 1) return (units[node] ?? 0) & 0x7fff_ffff;
  }
  return undefined;
}

const offsetOf = (unit: number) => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
