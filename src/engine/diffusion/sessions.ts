// What messages of one realtime connection share: seed, the given picture, and the latents of the last one drawn.
import type { Pixels } from "../../core/pipeline.ts";

export type Session = {
  /** Of messages that name none: pictures do not jump while only the prompt changes. */
  seed?: number;
  /** The latest that was given, decoded. Whoever holds it also holds what was computed from it. */
  picture?: { url: string; pixels: Pixels };
  /** Of all pictures of the last message. */
  latents?: Float32Array;
};

/** Connections whose state is kept; the one not heard of the longest goes first. */
const KEPT = 16;

export type Sessions = {
  /** The session of this id; a new one for an id that was not heard of (lately). */
  of(id: string): Session;
};

export function createSessions(): Sessions {
  const kept = new Map<string, Session>();
  return {
    of(id) {
      const session = kept.get(id) ?? {};
      kept.delete(id);
      kept.set(id, session);
      const [oldest] = kept.keys();
      if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
      return session;
    },
  };
}
