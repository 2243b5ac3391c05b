// One file from a URL to its final place: in ranges side by side, resumable, never in place with a wrong hash.
import type { Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import { forEachAtOnce, type Slots } from "../slots.ts";
import type { Digest } from "./disk/digest.ts";
import { noSpace } from "./disk/space.ts";
import type { Bandwidth } from "./transfer/bandwidth.ts";
import { fetchPiece, fetchWhole, type Source } from "./transfer/fetch-piece.ts";
import { openPart, type Part } from "./transfer/part.ts";
import { createPatience, type PatienceOptions, waitText } from "./transfer/patience.ts";
import { doneBytes, isWhole, type Piece } from "./transfer/pieces.ts";
import { createRoute } from "./transfer/route.ts";
import type { Web } from "./transfer/web.ts";

export type DownloadOrder = {
  /** How people know the file, e.g. `owner/name: onnx/model.onnx`. */
  name: string;
  url: string;
  bytes: number;
  digest: Digest;
  /** Final path; its folder exists, and the caller holds the lock on it. */
  to: string;
  /** Words for an answer that is neither 200 nor 206. */
  explain: (response: Response) => Promise<ForecourtError>;
  signal: AbortSignal;
  onProgress?: (progress: { at: number; stage: "downloading" | "hashing" }) => void;
  /** A wait, or a second start after wrong data. */
  onNotice?: (message: string) => void;
};

export type DownloadTools = {
  web: Web;
  bandwidth: Bandwidth;
  /** Connections of all downloads together. */
  slots: Slots;
  timers: Timers;
  random?: () => number;
  /** A range; what a kill between two of them costs at most is far less, see the journal. */
  pieceBytes?: number;
  /** Ranges of one file side by side. */
  connections?: number;
  /** A connection that says nothing for this long is dropped and tried again. */
  stall?: Milliseconds;
};

/** Large enough that a request's round trip vanishes at 1 GB/s, small enough that eight are in flight from 256 MB on. */
const PIECE_BYTES = 32 * 1024 * 1024;
/** models.md 5: 4 to 8 ranges help on the Hub's CDN. */
const CONNECTIONS = 8;
const STALL = milliseconds(60_000);
/** A wrong hash is met by fetching the broken part again; one that stays wrong is the server's. */
const ATTEMPTS_AT_RIGHT_DATA = 2;

/**
 * Resolves when `to` holds exactly the bytes of `digest`. Throws `weights_missing` (gone, refused, wrong content, disk
 * full), `unavailable` (unreachable or limited for longer than patience lasts) or the signal's reason; what was received
 * stays beside `to` for the next call, except wrong content.
 */
export async function download(order: DownloadOrder, tools: DownloadTools): Promise<void> {
  const { to, bytes, digest } = order;
  try {
    await using part = await openPart({ to, bytes, digest, pieceBytes: tools.pieceBytes ?? PIECE_BYTES });
    try {
      await completePart(part, order, tools);
    } finally {
      await part.save();
    }
  } catch (error) {
    throw noSpace(error, order.name) ?? error;
  }
}

async function completePart(part: Part, order: DownloadOrder, tools: DownloadTools): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await fillPart(part, order, tools);
    order.onProgress?.({ at: order.bytes, stage: "hashing" });
    const hex = await part.digest();
    if (hex === order.digest.hex) return part.finish();
    if (attempt === ATTEMPTS_AT_RIGHT_DATA) {
      await part.discard();
      throw wrongContent(order, hex);
    }
    const kept = await part.mend();
    order.onNotice?.(
      `${order.name} arrived with the wrong content; ${order.bytes - kept} of ${order.bytes} bytes are fetched again.`,
    );
  }
}

async function fillPart(part: Part, order: DownloadOrder, tools: DownloadTools): Promise<void> {
  const source = sourceOf(part, order, tools);
  const open = part.pieces.filter((piece) => !isWhole(piece));
  const limit = Math.min(tools.connections ?? CONNECTIONS, open.length);
  const ranges = new AbortController();
  let areIgnored = false;
  try {
    const signal = AbortSignal.any([order.signal, ranges.signal]);
    await forEachAtOnce(open, { limit, signal }, async (piece, stop) => {
      if ((await fillPiece(piece, { part, source, tools }, stop)) === "filled") return;
      areIgnored = true;
      ranges.abort();
    });
  } catch (error) {
    if (!areIgnored || order.signal.aborted) throw error;
  }
  if (areIgnored) await fillInOneGo({ part, source, tools }, order.signal);
}

type Filling = { part: Part; source: Source; tools: DownloadTools };

/** Tries until the piece is whole; each attempt goes on where the last one ended. */
async function fillPiece(piece: Piece, { part, source, tools }: Filling, signal: AbortSignal) {
  const patience = createPatience(patienceOf(source, tools, signal));
  while (!isWhole(piece)) {
    const before = piece.done;
    try {
      if ((await fetchPiece({ piece, part, source, signal })) === "ranges ignored") return "ranges ignored";
    } catch (error) {
      if (piece.done > before) patience.progressed();
      await patience.afterFailure(error);
    }
  }
  return "filled";
}

/** For servers that know no ranges: one connection, and every attempt begins at the first byte. */
async function fillInOneGo({ part, source, tools }: Filling, signal: AbortSignal): Promise<void> {
  const patience = createPatience(patienceOf(source, tools, signal));
  for (;;) {
    try {
      await part.restart();
      return await fetchWhole({ part, source, signal });
    } catch (error) {
      await patience.afterFailure(error);
    }
  }
}

function sourceOf(part: Part, order: DownloadOrder, tools: DownloadTools): Source {
  const { name, bytes, explain, onNotice, onProgress } = order;
  return {
    name,
    bytes,
    route: createRoute(tools.web, order.url),
    explain,
    bandwidth: tools.bandwidth,
    slots: tools.slots,
    timers: tools.timers,
    stall: tools.stall ?? STALL,
    onNotice: (message) => onNotice?.(message),
    onBytes: () => onProgress?.({ at: doneBytes(part.pieces), stage: "downloading" }),
  };
}

const patienceOf = (source: Source, tools: DownloadTools, signal: AbortSignal): PatienceOptions => ({
  timers: tools.timers,
  signal,
  ...(tools.random && { random: tools.random }),
  onWait: (wait) => source.onNotice(waitText(wait)),
});

const wrongContent = ({ name, url, digest }: DownloadOrder, hex: string) =>
  new ForecourtError(
    "weights_missing",
    `${name} has the wrong content at ${new URL(url).host}, twice: its ${digest.algorithm} is ${hex} and should be ${digest.hex}. A proxy or mirror on the way changes it, or the source was replaced.`,
    { details: { reason: "wrong_content", expected: digest.hex, found: hex } },
  );
