// Lets several answers grow at once: they join and leave between two steps, and each step reads one token of all of them.
import { letIn } from "../pause.ts";
import type { Beyond } from "../sight/beyond.ts";
import type { Decoder } from "./decoder.ts";
import { emptyCache, gatherRows, type KvRow, type PaddingSide } from "./kv-cache.ts";
import type { Prefixes } from "./prefixes.ts";

/** One answer in the making. */
export type Sequence = {
  /** What is read, where pictures have numbers beyond the vocabulary. */
  prompt: readonly number[];
  /** Of a prompt with pictures. */
  beyond?: Beyond | undefined;
  /** Takes the next token by its scores; undefined: the answer is over. */
  next(logits: Float32Array): number | undefined;
};

export type DecodeLoop = {
  /**
   * Resolves when the answer is over; rejects with the signal's reason within one step of its abort. `began`: how many
   * tokens of the prompt need no reading; `reading`: a piece of it was read, more is to come.
   */
  run(sequence: Sequence, options: RunOptions): Promise<void>;
};

export type RunOptions = { signal: AbortSignal; began?(cached: number): void; reading?(): void };

export type DecodeLoopParts = {
  decoder: Decoder;
  /** How one step may read tokens of several answers of different lengths; undefined: it may not. */
  padding: PaddingSide | undefined;
  prefixes: Prefixes;
};

type Growing = Sequence & {
  signal: AbortSignal;
  reading: (() => void) | undefined;
  /** What was read, and where its keys and values are. */
  read: number[];
  held: KvRow;
  /** To be read next. */
  unread: readonly number[];
  settle: PromiseWithResolvers<void>;
};

/** Tokens of a prompt that are read in one step: others wait no longer for theirs. */
const CHUNK = 256;

type Turning = DecodeLoopParts & { growing: Set<Growing> };

export function createDecodeLoop(parts: DecodeLoopParts): DecodeLoop {
  const { decoder, prefixes } = parts;
  const growing = new Set<Growing>();
  let isTurning = false;

  async function keepTurning(): Promise<void> {
    if (isTurning) return;
    isTurning = true;
    try {
      while (growing.size > 0) {
        await turn({ ...parts, growing });
        // The event loop reads what was sent to this process meanwhile: a new job, the end of another.
        await letIn();
      }
    } finally {
      isTurning = false;
    }
  }

  return {
    async run(sequence, { signal, began, reading }) {
      signal.throwIfAborted();
      const settle = Promise.withResolvers<void>();
      const found = prefixes.find(sequence.prompt);
      const cached = found?.tokens ?? 0;
      began?.(cached);
      growing.add({
        prompt: sequence.prompt,
        beyond: sequence.beyond,
        next: (logits) => sequence.next(logits),
        signal,
        reading,
        settle,
        read: sequence.prompt.slice(0, cached),
        held: found ?? { cache: emptyCache(decoder.kv, 1), row: 0 },
        unread: sequence.prompt.slice(cached),
      });
      void keepTurning();
      await settle.promise;
    },
  };
}

/** One token for all that are level, and a piece of one prompt. */
async function turn(loop: Turning): Promise<void> {
  for (const one of loop.growing) if (one.signal.aborted) leave(one, loop, one.signal.reason);
  const all = [...loop.growing];
  const behind = all.find(({ unread }) => unread.length > 1);
  const level = all.filter(({ unread }) => unread.length === 1);
  if (behind) await readAlone(behind, loop, Math.min(CHUNK, behind.unread.length));
  if (level.length > 0) await readTogether(level, loop);
}

/** What fails for several may be the doing of one: they go on alone. */
async function readTogether(group: readonly Growing[], loop: Turning): Promise<void> {
  if (loop.padding !== undefined && group.length > 1) {
    try {
      return await read(group, loop, 1);
    } catch {
      // Each of them meets the failure again, or it was none of its own.
    }
  }
  for (const one of group) await readAlone(one, loop, 1);
}

async function readAlone(one: Growing, loop: Turning, count: number): Promise<void> {
  try {
    await read([one], loop, count);
  } catch (failure) {
    leave(one, loop, failure);
  }
}

/** Reads as many tokens of each; all have as many to read. */
async function read(group: readonly Growing[], loop: Turning, count: number): Promise<void> {
  const tokens = group.map(({ unread }) => unread.slice(0, count));
  const held = group.map((one) => one.held);
  const layout = loop.padding === undefined ? {} : { padding: loop.padding };
  const gathered = gatherRows(held, loop.decoder.kv, layout);
  const { cache, logits } = await loop.decoder.forward({
    tokens,
    cache: gathered,
    beyond: group.map(({ beyond }) => beyond),
  });
  // On a device a row is a cache of its own, and this one's was read.
  for (const { cache: before } of held) before.release?.();
  for (const [row, one] of group.entries()) {
    one.read.push(...(tokens[row] ?? []));
    one.unread = one.unread.slice(count);
    one.held = { cache, row };
    const scores = logits[row];
    if (one.unread.length > 0) one.reading?.();
    else if (scores && !one.signal.aborted) goOn(one, loop, scores);
  }
}

function goOn(one: Growing, loop: Turning, scores: Float32Array): void {
  try {
    const token = one.next(scores);
    if (token === undefined) leave(one, loop);
    else one.unread = [token];
  } catch (failure) {
    leave(one, loop, failure);
  }
}

function leave(one: Growing, { growing, prefixes }: Turning, failure?: unknown): void {
  if (!growing.delete(one)) return;
  if (failure !== undefined) {
    one.held.cache.release?.();
    one.settle.reject(failure);
  } else {
    prefixes.keep(one.read, one.held);
    one.settle.resolve();
  }
}
