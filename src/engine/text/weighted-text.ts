// Prompts that say how much each part counts: (more), [less], (exactly:1.3), as the Stable Diffusion web UIs write them.

export type WeightedText = { text: string /** 1 = as it is. */; weight: number };

/** Of each pair of brackets without a number, theirs (AUTOMATIC1111's prompt_parser.py). */
const ROUND = 1.1;
const SQUARE = 1 / ROUND;

/** A bracket or backslash with a backslash before it, a weight with its closing bracket, a bracket, or text. */
const PIECES = /\\[()[\]\\]?|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[()[\]:]|[^\\()[\]:]+/g;

/** Brackets may be nested, their weights are multiplied; those that are not closed reach to the end. */
export function parseWeights(prompt: string): WeightedText[] {
  const parts: WeightedText[] = [];
  const opened: Record<"(" | "[", number[]> = { "(": [], "[": [] };
  const weigh = (from: number, weight: number) => {
    for (const part of parts.slice(from)) part.weight *= weight;
  };
  /** Whether there was one to close. */
  const close = (bracket: "(" | "[", weight: number) => {
    const from = opened[bracket].pop();
    if (from !== undefined) weigh(from, weight);
    return from !== undefined;
  };
  for (const [piece, weight] of prompt.matchAll(PIECES)) {
    if (piece === "(" || piece === "[") opened[piece].push(parts.length);
    else if (weight !== undefined && close("(", Number(weight))) continue;
    else if (piece === ")" && close("(", ROUND)) continue;
    else if (piece === "]" && close("[", SQUARE)) continue;
    else parts.push({ text: piece.startsWith("\\") ? piece.slice(1) : piece, weight: 1 });
  }
  for (const from of opened["("]) weigh(from, ROUND);
  for (const from of opened["["]) weigh(from, SQUARE);
  return joinedAlike(parts);
}

/** Neighbours of one weight as one text, so that words are not split where a bracket or colon stood for itself. */
function joinedAlike(parts: readonly WeightedText[]): WeightedText[] {
  const joined: WeightedText[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last?.weight === part.weight) last.text += part.text;
    else joined.push({ ...part });
  }
  return joined;
}
