// One answer of a server, streamed into its place in an unfinished file.
import type { Timers } from "../../../core/clock.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { Milliseconds } from "../../../core/units.ts";
import { watchdog } from "../../../core/wait.ts";
import type { Slots } from "../../slots.ts";
import type { Bandwidth } from "./bandwidth.ts";
import type { Part } from "./part.ts";
import { isPassing, passing } from "./patience.ts";
import { isWhole, type Piece } from "./pieces.ts";
import type { Route } from "./route.ts";

/** Where a file's bytes come from, and under which limits. */
export type Source = {
  name: string;
  bytes: number;
  route: Route;
  explain: (response: Response) => Promise<ForecourtError>;
  bandwidth: Bandwidth;
  slots: Slots;
  timers: Timers;
  stall: Milliseconds;
  onNotice: (message: string) => void;
  onBytes: () => void;
};

type Fetching = { part: Part; source: Source; signal: AbortSignal };

/**
 * Fetches what the piece lacks, as far as the answer goes. "ranges ignored": the server sent the whole file instead, and
 * nothing was written. Throws `unavailable` for what may pass; what arrived before is kept.
 */
export async function fetchPiece({ piece, part, source, signal }: Fetching & { piece: Piece }) {
  const from = piece.start + piece.done;
  const isAll = from === 0 && piece.end === source.bytes;
  const headers: Record<string, string> = isAll ? {} : { range: `bytes=${from}-${piece.end - 1}` };
  return converse({ part, source, signal }, headers, async (response, feed) => {
    if (response.status === 200 && !isAll) return "ranges ignored" as const;
    expectSize(response, { from, source });
    await feed(async (chunk) => {
      const wanted = chunk.subarray(0, piece.end - piece.start - piece.done);
      await part.write(piece, wanted);
      return !isWhole(piece);
    });
    if (!isWhole(piece)) throw cutShort(source);
    return "filled" as const;
  });
}

/** Fetches the file from its first byte into pieces that are all empty. */
export async function fetchWhole({ part, source, signal }: Fetching): Promise<void> {
  await converse({ part, source, signal }, {}, async (response, feed) => {
    expectSize(response, { from: 0, source });
    const pieces = part.pieces.values();
    let piece = pieces.next().value;
    await feed(async (chunk) => {
      for (let rest = chunk; rest.byteLength > 0 && piece; ) {
        const fitting = rest.subarray(0, piece.end - piece.start - piece.done);
        await part.write(piece, fitting);
        rest = rest.subarray(fitting.byteLength);
        if (isWhole(piece)) piece = pieces.next().value;
      }
      return piece !== undefined;
    });
    if (piece) throw cutShort(source);
  });
}

/** Hands each chunk on until that answers false or the body ends. */
type Feed = (onChunk: (chunk: Uint8Array) => Promise<boolean>) => Promise<void>;

async function converse<T>(
  { source, signal }: Fetching,
  headers: Record<string, string>,
  read: (response: Response, feed: Feed) => Promise<T>,
): Promise<T> {
  using _slot = await source.slots.take(signal);
  const ended = new AbortController();
  using watch = watchdog(source.stall, {
    timers: source.timers,
    onSilence: () => ended.abort(passing(`${source.name}: nothing came for ${source.stall / 1000} seconds.`)),
  });
  const either = AbortSignal.any([signal, ended.signal]);
  try {
    const { response, isElsewhere, url } = await source.route({ signal: either, headers });
    watch.alive();
    if (isElsewhere && isLinkRefused(response)) throw passing(`${new URL(url).host} answered ${response.status}.`);
    if (response.status !== 200 && response.status !== 206) throw await source.explain(response);
    return await read(response, async (onChunk) => {
      for await (const chunk of response.body ?? []) {
        watch.pause();
        await source.bandwidth.take(chunk.byteLength, either);
        const goesOn = await onChunk(chunk);
        source.onBytes();
        if (!goesOn) return;
        watch.alive();
      }
    });
  } catch (error) {
    either.throwIfAborted();
    throw isConnectionLoss(error)
      ? passing(`${source.name}: the connection was lost (${error.code}).`, { cause: error })
      : error;
  } finally {
    ended.abort(); // frees the connection when the body was not read to its end
  }
}

/** A CDN knows nothing of permissions: its link has expired on the way, or its clock differs from the signer's. */
const isLinkRefused = ({ status }: Response) => status === 401 || status === 403 || status === 410;

/** Both say how long the whole file is; a file of another length is not the one that was asked for. */
function expectSize(response: Response, { from, source }: { from: number; source: Source }): void {
  const { headers, status } = response;
  if (status === 200) {
    const length = headers.get("content-length");
    if (length !== null && Number(length) !== source.bytes) throw otherSize(source, length);
    return;
  }
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (Number(first) !== from) throw passing(`${source.name}: the server sent another range than was asked for.`);
  if (total !== "*" && Number(total) !== source.bytes) throw otherSize(source, `${total}`);
}

const otherSize = ({ name, bytes }: Source, length: string) =>
  new ForecourtError(
    "weights_missing",
    `${name} is ${length} bytes long at its source, but ${bytes} were announced. The source was replaced, or a proxy answers in its place.`,
    { details: { reason: "wrong_size", expected: bytes, found: Number(length) } },
  );

const cutShort = ({ name }: Source) => passing(`${name}: the connection ended early.`);

/** Bun's and libc's names for a connection that broke; anything else that is thrown here is ours (the disk, a bug). */
const isConnectionLoss = (error: unknown): error is Error & { code: string } =>
  !isPassing(error) &&
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  /^(ECONN|ETIMEDOUT|EPIPE|ENETUNREACH|EHOSTUNREACH|ConnectionClosed|ConnectionRefused|ERR_SSL|ERR_HTTP|HPE_|Timeout|FailedToOpenSocket|UnexpectedEOF|InvalidHTTPResponse|Malformed)/.test(
    error.code,
  );
