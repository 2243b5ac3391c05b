// Who speaks at each moment of a window: sets of up to two of three voices, as pyannote's segmentation tells them.

const VOICES = 3;
/** Its classes in their order: nobody, each alone, each two together (Powerset of pyannote.audio). */
export const POWERSET: readonly (readonly number[])[] = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]];

/** Of one voice of a window: 1 where it speaks, and where it speaks alone. */
export type LocalVoice = { speaks: Uint8Array; alone: Uint8Array };

/** `scores`: [frames, 7], of any scale that the likeliest is the highest of. */
export function voicesOf(scores: Float32Array): LocalVoice[] {
  const classes = POWERSET.length;
  const frames = Math.floor(scores.length / classes);
  const voices = Array.from({ length: VOICES }, () => ({
    speaks: new Uint8Array(frames),
    alone: new Uint8Array(frames),
  }));
  for (let frame = 0; frame < frames; frame++) {
    let likeliest = 0;
    for (let i = 1; i < classes; i++)
      if ((scores[frame * classes + i] ?? 0) > (scores[frame * classes + likeliest] ?? 0)) likeliest = i;
    const set = POWERSET[likeliest] ?? [];
    for (const voice of set) {
      const local = voices[voice];
      if (!local) continue;
      local.speaks[frame] = 1;
      if (set.length === 1) local.alone[frame] = 1;
    }
  }
  return voices;
}
