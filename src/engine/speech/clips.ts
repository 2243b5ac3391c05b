// Cuts a recording where nobody speaks, into clips that a speech model can hear at once.
import type { Stretch } from "../onnx/outputs/segments.ts";

/** Whisper's window. */
export const WINDOW_SECONDS = 30;

/**
 * Stretches of speech that fit one window together become one clip, with the pauses between them; one that is longer
 * stays whole, and is heard window by window. Without stretches the recording is one clip.
 */
export function clipsOf(
  speech: readonly Stretch[] | undefined,
  { duration, window }: { duration: number; window: number },
): Stretch[] {
  if (speech === undefined) return duration > 0 ? [{ start: 0, end: duration }] : [];
  const clips: Stretch[] = [];
  for (const { start, end } of speech) {
    const last = clips.at(-1);
    if (last && end - last.start <= window) last.end = end;
    else clips.push({ start, end });
  }
  return clips;
}
