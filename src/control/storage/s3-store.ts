// Files in a bucket of any S3-compatible store. The only file, with those named like it, that speaks S3.
import { ForecourtError } from "../../core/errors.ts";
import { type Bytes, bytes, instant, MIB } from "../../core/units.ts";
import type { ByteRange, FileStore } from "./file-store.ts";
import { type AnswerTo, createS3Parts, type PartsBook } from "./s3-parts.ts";
import { createS3Ask, elementsIn, type S3Options, S3Refusal, textIn } from "./s3-request.ts";

/** What the store did not remove, and why. */
export type Unremoved = { name: string; reason: string };

export type S3Store = Omit<FileStore, "put"> & {
  /** `book`: for a file that is sent in parts. */
  put(name: string, path: string, book: PartsBook): Promise<void>;
  /** Of names that are not there nothing is said. */
  remove(names: string[]): Promise<Unremoved[]>;
  /** Names of a folder in their order, behind `after`; as many as the store tells at once, none at the end. */
  list(folder: string, after?: string): Promise<string[]>;
  /** Removes what was sent of a file in parts that were never joined; `id` as its book has it, or "". */
  giveUp(name: string, id: string): Promise<void>;
  /** Throws `unavailable` when the bucket cannot be used: by name, place or rights. */
  check(): Promise<void>;
};

/** Questions and small answers; a store that needs longer is down. */
const ANSWER_MS = 10_000;
/** A file may take this long for each of its MiB, beyond that. */
const MIB_MS = 2_000;
/** S3 takes no more in one piece. */
const PIECE_BYTES = bytes(5 * 1024 * MIB);
/** One that fails is sent again; a thousandth of the largest file that S3 keeps is as much as it takes in one. */
const PART_BYTES = bytes(256 * MIB);
/** S3's. */
const REMOVED_AT_ONCE = 1_000;

/** `pieceBytes`: larger files are sent in parts of `partBytes`. */
export function createS3Store(options: S3Options, { pieceBytes = PIECE_BYTES, partBytes = PART_BYTES } = {}): S3Store {
  const { bucket, endpoint, prefix } = options;
  const place = `s3://${bucket}/${prefix}${endpoint ? ` at ${endpoint}` : ""}`;
  const keyOf = (name: string) => `${prefix}${name}`;
  const asked = createAsked(place);
  const ask = createS3Ask(options);
  const answerTo: AnswerTo = (request, sent = bytes(0)) =>
    asked(
      async (signal) => {
        const response = await ask({ ...request, signal });
        const text = await response.text();
        // Before it joins parts a store answers 200, and says in the body how that went.
        if (/^(<\?xml[^>]*>)?\s*<Error>/.test(text)) throw new S3Refusal(response.status, text);
        return { headers: response.headers, text };
      },
      { limitMs: timeFor(sent) },
    );
  const parts = createS3Parts({ answerTo, partBytes });
  const get = (name: string, { range, end }: { range?: ByteRange; end?: AbortController } = {}) => {
    const headers = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
    return asked((signal) => ask({ method: "GET", key: keyOf(name), headers, signal }), { end });
  };
  const list = async (query: Record<string, string>) => {
    const { text } = await answerTo({ method: "GET", key: "", query: { "list-type": "2", ...query } });
    return elementsIn(text, "Contents").flatMap((each) => textIn(each, "Key")?.slice(prefix.length) ?? []);
  };

  return {
    place,
    async put(name, path, book) {
      const file = Bun.file(path);
      const [key, size] = [keyOf(name), bytes(file.size)];
      if (size > pieceBytes) {
        await book.begins(name);
        await parts.send(key, file, (id) => book.begun(name, id));
        return book.over(name);
      }
      // As a stream: over TLS a file as a body is read into memory whole.
      const headers = { "content-length": String(size) };
      await answerTo({ method: "PUT", key, headers, body: file.stream() }, size);
    },
    async find(name) {
      try {
        const { headers } = await answerTo({ method: "HEAD", key: keyOf(name) });
        const modifiedAt = instant(Date.parse(headers.get("last-modified") ?? ""));
        return { size: bytes(Number(headers.get("content-length"))), modifiedAt };
      } catch (error) {
        if (error instanceof ForecourtError && error.code === "not_found") return undefined;
        throw error;
      }
    },
    async read(name, range) {
      const { body } = await get(name, range && { range });
      return body ?? new Blob([]);
    },
    async take(name, to) {
      const end = new AbortController();
      const response = await get(name, { end });
      const size = bytes(Number(response.headers.get("content-length") ?? 0));
      await asked(() => Bun.write(to, response), { limitMs: timeFor(size), end });
    },
    remove: createRemove({ answerTo, prefix }),
    list: (folder, after) =>
      list({ prefix: keyOf(folder), ...(after !== undefined && { "start-after": keyOf(after) }) }),
    giveUp: (name, id) => parts.giveUp(keyOf(name), id),
    check: async () => void (await list({ prefix, "max-keys": "1" })),
  };
}

/** A thousand with each request; one by one where the store has no such request. */
function createRemove({ answerTo, prefix }: { answerTo: AnswerTo; prefix: string }): S3Store["remove"] {
  const removeOne = async (name: string): Promise<Unremoved[]> => {
    try {
      await answerTo({ method: "DELETE", key: `${prefix}${name}` });
      return [];
    } catch (error) {
      if (error instanceof ForecourtError && error.code === "not_found") return [];
      if (!(error instanceof Error && error.cause instanceof S3Refusal)) throw error;
      return [{ name, reason: error.cause.message }];
    }
  };
  const removeTogether = async (names: string[]): Promise<Unremoved[]> => {
    const objects = names.map((name) => `<Object><Key>${prefix}${name}</Key></Object>`).join("");
    const body = `<Delete><Quiet>true</Quiet>${objects}</Delete>`;
    // Not for secrecy: the store refuses a list of what to delete that may not have come as it was sent.
    const headers = { "content-md5": new Bun.CryptoHasher("md5").update(body).digest("base64") };
    const { text } = await answerTo({ method: "POST", key: "", query: { delete: "" }, headers, body });
    return elementsIn(text, "Error").flatMap((each) => {
      const [key, code = ""] = [textIn(each, "Key"), textIn(each, "Code")];
      return key === undefined || code === "NoSuchKey" ? [] : [{ name: key.slice(prefix.length), reason: code }];
    });
  };
  let knowsLists = true;
  return async (names) => {
    const unremoved: Unremoved[] = [];
    for (let at = 0; at < names.length && knowsLists; at += REMOVED_AT_ONCE)
      try {
        unremoved.push(...(await removeTogether(names.slice(at, at + REMOVED_AT_ONCE))));
      } catch (error) {
        if (!isUnknownRequest(error)) throw error;
        knowsLists = false;
      }
    if (knowsLists) return unremoved;
    for (const name of names) unremoved.push(...(await removeOne(name)));
    return unremoved;
  };
}

const isUnknownRequest = (error: unknown) =>
  error instanceof Error && error.cause instanceof S3Refusal && [405, 501].includes(error.cause.status);

const timeFor = (size: Bytes) => ANSWER_MS + Math.floor(size / MIB) * MIB_MS;

/** Turns what goes wrong, and what takes too long, into words for the caller and his operator. */
const createAsked =
  (place: string) =>
  async <T>(
    work: (signal: AbortSignal) => Promise<T>,
    { limitMs = ANSWER_MS, end = new AbortController() }: { limitMs?: number; end?: AbortController | undefined } = {},
  ): Promise<T> => {
    const timer = setTimeout(() => end.abort(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
    try {
      return await work(end.signal);
    } catch (error) {
      if (error instanceof ForecourtError) throw error;
      throw unreachable(place, error);
    } finally {
      clearTimeout(timer);
    }
  };

function unreachable(place: string, cause: unknown): ForecourtError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `The file store ${place} cannot be used now (${reason}). Try again later; nothing of the request was kept.`;
  return new ForecourtError("unavailable", message, { details: { reason: "file_store" }, cause });
}
