// Classifier-free guidance over scores: away from what would be written without a prompt.

/** `scores`: first those with the prompt, then those without, as many; in single precision, as transformers computes. */
export function guided(scores: readonly Float32Array[], scale: number): Float32Array[] {
  const half = scores.length / 2;
  return scores.slice(0, half).map((withPrompt, row) => {
    const without = scores[half + row] ?? new Float32Array(withPrompt.length);
    return withPrompt.map((score, i) => {
      const free = without[i] ?? 0;
      return free + Math.fround(Math.fround(score - free) * scale);
    });
  });
}
