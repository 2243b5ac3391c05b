// Sounds one after the other.

/** With `pause` samples of silence between them. */
export function joinSounds(sounds: readonly Float32Array[], pause: number): Float32Array {
  const length = sounds.reduce((sum, each) => sum + each.length, 0) + pause * Math.max(0, sounds.length - 1);
  const joined = new Float32Array(length);
  let at = 0;
  for (const sound of sounds) {
    joined.set(sound, at);
    at += sound.length + pause;
  }
  return joined;
}
