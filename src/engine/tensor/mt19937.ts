// The Mersenne Twister mt19937 (Matsumoto and Nishimura, 1998), seeded with one 32-bit number as PyTorch does.

const SIZE = 624;
const MIDDLE = 397;
const MATRIX = 0x9908b0df;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;

/** Gives the next uniform 32-bit unsigned integer at every call. */
export function createMt19937(seed: number): () => number {
  const state = seeded(seed);
  let at = SIZE;
  return () => {
    if (at === SIZE) {
      twist(state);
      at = 0;
    }
    return temper(state[at++] ?? 0);
  };
}

function seeded(seed: number): Uint32Array {
  const state = new Uint32Array(SIZE);
  let last = seed >>> 0;
  state[0] = last;
  for (let i = 1; i < SIZE; i++) {
    last = (Math.imul(1812433253, last ^ (last >>> 30)) + i) >>> 0;
    state[i] = last;
  }
  return state;
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < SIZE; i++) {
    const mixed = ((state[i] ?? 0) & UPPER) | ((state[(i + 1) % SIZE] ?? 0) & LOWER);
    state[i] = (state[(i + MIDDLE) % SIZE] ?? 0) ^ (mixed >>> 1) ^ (mixed & 1 ? MATRIX : 0);
  }
}

function temper(word: number): number {
  let y = word;
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return (y ^ (y >>> 18)) >>> 0;
}
