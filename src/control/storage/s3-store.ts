// Files in a bucket of any S3-compatible store. The only file that speaks S3, through Bun's own client.
import { ForecourtError } from "../../core/errors.ts";
import { bytes, instant, MIB } from "../../core/units.ts";
import { createSlots } from "../slots.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { gone } from "./disk-store.ts";
import type { ByteRange, FileStore } from "./file-store.ts";

export type S3Options = {
  bucket: string;
  /** Empty: Amazon's, by region. */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** Before every name. */
  prefix: string;
  /** The bucket's name in the host, not in the path. */
  virtualHosted: boolean;
};

export type S3Store = FileStore & {
  /** Throws `unavailable` when the bucket cannot be used: by name, place or rights. */
  check(): Promise<void>;
};

/** Questions and small answers; a store that needs longer is down. */
const ANSWER_MS = 10_000;
/** A file may take this long for each of its MiB, beyond that. */
const MIB_MS = 2_000;
/** Presigned by this process for itself, used at once. */
const PRESIGNED_SECONDS = 60;
/** S3 takes no more in one piece; Bun's client sends more in parts. */
const PIECE_BYTES = 5 * 1024 * MIB;
/** What Bun's client begins cannot be ended: where the store is silent, this many may hang on and not all that the process may open. */
const LISTS_AT_ONCE = 16;

export function createS3Store({ bucket, prefix, virtualHosted, ...options }: S3Options): S3Store {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
  const client = new Bun.S3Client({
    ...{ bucket, accessKeyId, secretAccessKey, virtualHostedStyle: virtualHosted },
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(sessionToken && { sessionToken }),
  });
  const place = `s3://${bucket}/${prefix}${endpoint ? ` at ${endpoint}` : ""}`;
  const keyOf = (name: string) => `${prefix}${name}`;
  const asked = createAsked(place);
  const list = createLists(client);

  const send = async (method: Method, key: string, init: RequestInit): Promise<Response> => {
    const url = client.presign(key, { method, expiresIn: PRESIGNED_SECONDS });
    const response = await fetch(url, { ...init, method, redirect: "error" });
    if (response.ok) return response;
    const said = await response.text();
    if (response.status === 404 && (method === "HEAD" || said.includes("NoSuchKey"))) throw gone();
    throw new Error(`it answered ${response.status} ${/<Code>(\w+)<\/Code>/.exec(said)?.[1] ?? ""}`.trim());
  };
  const get = (name: string, { range, end }: { range?: ByteRange; end?: AbortController } = {}) => {
    const headers = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
    return asked((signal) => send("GET", keyOf(name), { headers, signal }), { end });
  };

  return {
    place,
    async put(name, path) {
      const file = Bun.file(path);
      const headers = { "content-length": String(file.size) };
      const write = async (signal: AbortSignal) => {
        if (file.size > PIECE_BYTES) await unlessAborted(client.write(keyOf(name), file), signal);
        // As a stream: over TLS a file as a body is read into memory whole.
        else await send("PUT", keyOf(name), { headers, body: file.stream(), signal });
      };
      await asked(write, { limitMs: timeFor(file.size) });
    },
    async find(name) {
      try {
        const { headers } = await asked((signal) => send("HEAD", keyOf(name), { signal }));
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
      const size = Number(response.headers.get("content-length") ?? 0);
      await asked(() => Bun.write(to, response), { limitMs: timeFor(size), end });
    },
    async remove(name) {
      for (let isMore = true; isMore; ) {
        // Names end in tokens of one length, so that none is the beginning of another.
        const { contents = [], isTruncated } = await asked((signal) => list({ prefix: keyOf(name) }, signal));
        await asked((signal) => Promise.all(contents.map(({ key }) => send("DELETE", key, { signal }))));
        isMore = isTruncated === true;
      }
    },
    check: () => asked(async (signal) => void (await list({ prefix, maxKeys: 1 }, signal))),
  };
}

type Method = "GET" | "HEAD" | "PUT" | "DELETE";

const timeFor = (size: number) => ANSWER_MS + Math.floor(size / MIB) * MIB_MS;

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

function createLists(client: Bun.S3Client) {
  const slots = createSlots(LISTS_AT_ONCE);
  return async (options: Bun.S3ListObjectsOptions, signal: AbortSignal): Promise<Bun.S3ListObjectsResponse> => {
    const slot = await slots.take(signal);
    return await unlessAborted(
      client.list(options).finally(() => slot[Symbol.dispose]()),
      signal,
    );
  };
}

function unreachable(place: string, cause: unknown): ForecourtError {
  const reason = cause instanceof Error ? wordsOf(cause) : String(cause);
  const message = `The file store ${place} cannot be used now (${reason}). Try again later; nothing of the request was kept.`;
  return new ForecourtError("unavailable", message, { details: { reason: "file_store" }, cause });
}

/** With the code, which fetch puts before its messages and Bun's S3 client does not. */
function wordsOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`;
}
