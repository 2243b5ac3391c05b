// Changes a model's scores before one of its tokens is taken. In transformers' order: bias, repetition, then what OpenAI
// adds (presence, frequency); what a schema forbids; temperature, top-k, top-p, min-p.

export type Penalties = {
  /** Added to the score of a token. */
  bias: ReadonlyMap<number, number>;
  /** Of tokens in prompt and answer: positive scores are divided by it, negative ones multiplied. */
  repetition: number;
  /** Taken off once from each token of the answer, and once for each time that it is there. */
  presence: number;
  frequency: number;
};

export type Warp = { temperature: number; topK: number; topP: number; minP: number };

/** What has been read and said; `counts` is of the answer alone. */
export type Said = { tokens: ReadonlySet<number>; counts: ReadonlyMap<number, number> };

/** Whether there is anything to do: scores of a large vocabulary are not copied for nothing. */
export const hasPenalties = ({ bias, repetition, presence, frequency }: Penalties) =>
  bias.size > 0 || repetition !== 1 || presence !== 0 || frequency !== 0;

/** In place. */
export function penalize(logits: Float32Array, { bias, repetition, presence, frequency }: Penalties, said: Said): void {
  for (const [token, add] of bias) if (token < logits.length) logits[token] = (logits[token] ?? 0) + add;
  if (repetition !== 1) {
    for (const token of said.tokens) {
      const score = logits[token];
      if (score !== undefined) logits[token] = score < 0 ? score * repetition : score / repetition;
    }
  }
  if (presence === 0 && frequency === 0) return;
  for (const [token, count] of said.counts) {
    const score = logits[token];
    if (score !== undefined) logits[token] = score - presence - frequency * count;
  }
}

/** The likeliest token; of equals the first, as torch.argmax. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] ?? 0) > (logits[best] ?? 0)) best = i;
  return best;
}

export type Candidates = { tokens: Uint32Array /** Sums to 1, in falling order. */; shares: Float64Array };

/** Tokens that may be taken, with their shares after temperature, top-k, top-p and min-p. */
export function candidates(logits: Float32Array, { temperature, topK, topP, minP }: Warp): Candidates {
  const shares = softmaxOf(logits, temperature);
  const share = (token: number) => shares[token] ?? 0;
  // Equals of the last one stay, as in TopKLogitsWarper.
  const kth = topK > 0 && topK < shares.length ? share(highest(shares, topK).at(-1) ?? 0) : 0;
  // Shares below (1 - p) / n sum to less than 1 - p: none of them is needed to fill p, so they need no sorting.
  const least = topK === 0 && topP < 1 ? (1 - topP) / shares.length : 0;
  const kept: number[] = [];
  for (let i = 0; i < shares.length; i++) if (share(i) > least && share(i) >= kth) kept.push(i);
  let tokens = Uint32Array.from(kept);
  if (topK > 0 || topP < 1 || minP > 0) tokens = tokens.sort((a, b) => share(b) - share(a) || a - b);
  const sum = () => tokens.reduce((total, token) => total + share(token), 0);
  if (topP < 1) tokens = keepNucleus(tokens, topP * (topK > 0 ? sum() : 1), share);
  const most = share(tokens[0] ?? 0);
  if (minP > 0) tokens = tokens.filter((token) => share(token) >= minP * most);
  const total = sum();
  return { tokens, shares: Float64Array.from(tokens, (token) => share(token) / total) };
}

/** The fewest that together hold `mass`. */
function keepNucleus(tokens: Uint32Array, mass: number, share: (token: number) => number): Uint32Array<ArrayBuffer> {
  let sum = 0;
  let count = 0;
  while (count < tokens.length && sum < mass) sum += share(tokens[count++] ?? 0);
  return tokens.slice(0, Math.max(1, count));
}

function softmaxOf(logits: Float32Array, temperature: number): Float64Array {
  const highest = logits[argmax(logits)] ?? 0;
  const shares = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const power = Math.exp(((logits[i] ?? 0) - highest) / temperature);
    shares[i] = power;
    total += power;
  }
  for (let i = 0; i < shares.length; i++) shares[i] = (shares[i] ?? 0) / total;
  return shares;
}

/** log Σ exp: a score less this is the natural logarithm of the token's share. */
export function logSumExp(logits: Float32Array): number {
  const highest = logits[argmax(logits)] ?? 0;
  let total = 0;
  for (const score of logits) total += Math.exp(score - highest);
  return highest + Math.log(total);
}

/** The `count` highest scores, highest first. */
export function highest(logits: Float32Array | Float64Array, count: number): number[] {
  const best: number[] = [];
  const score = (token: number | undefined) => logits[token ?? 0] ?? 0;
  for (let i = 0; i < logits.length; i++) {
    if (best.length >= count && score(i) <= score(best.at(-1))) continue;
    best.splice(
      placeOf(best, (token) => score(token) < score(i)),
      0,
      i,
    );
    if (best.length > count) best.pop();
  }
  return best;
}

/** The first that is lower, of a list in falling order: by halves, as lists of hundreds are asked for too. */
function placeOf(best: readonly number[], isLower: (token: number) => boolean): number {
  let [from, to] = [0, best.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isLower(best[middle] ?? 0)) to = middle;
    else from = middle + 1;
  }
  return from;
}
