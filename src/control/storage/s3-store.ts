// Files in a bucket of any S3-compatible store. The only file that speaks S3, through Bun's own client.
import { ForecourtError } from "../../core/errors.ts";
import { bytes, instant } from "../../core/units.ts";
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
const MIB = 1024 * 1024;
/** Presigned by this process for itself, used at once. */
const PRESIGNED_SECONDS = 60;

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

  /** Turns what the client throws into words for the caller and his operator. */
  const asked = async <T>(work: () => Promise<T>, limitMs = ANSWER_MS): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
    try {
      return await Promise.race([work(), late.promise]);
    } catch (error) {
      if (error instanceof ForecourtError) throw error;
      throw unreachable(place, error);
    } finally {
      clearTimeout(timer);
    }
  };
  const get = (name: string, range?: ByteRange): Promise<Response> =>
    asked(async () => {
      const headers = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
      const url = client.presign(keyOf(name), { expiresIn: PRESIGNED_SECONDS });
      const response = await fetch(url, { headers, redirect: "error" });
      if (response.ok) return response;
      const said = await response.text();
      if (response.status === 404 && said.includes("NoSuchKey")) throw gone();
      throw new Error(`it answered ${response.status} ${/<Code>(\w+)<\/Code>/.exec(said)?.[1] ?? ""}`.trim());
    });

  return {
    place,
    async put(name, path) {
      const file = Bun.file(path);
      await asked(() => client.write(keyOf(name), file), ANSWER_MS + (file.size / MIB) * MIB_MS);
    },
    find: (name) =>
      asked(async () => {
        try {
          const { size, lastModified } = await client.stat(keyOf(name));
          return { size: bytes(size), modifiedAt: instant(lastModified.getTime()) };
        } catch (error) {
          if (codeOf(error) === "NoSuchKey") return undefined;
          throw error;
        }
      }),
    async read(name, range) {
      const { body } = await get(name, range);
      return body ?? new Blob([]);
    },
    async take(name, to) {
      const response = await get(name);
      const size = Number(response.headers.get("content-length") ?? 0);
      await asked(() => Bun.write(to, response), ANSWER_MS + (size / MIB) * MIB_MS);
    },
    async remove(name) {
      for (let isMore = true; isMore; ) {
        // Names end in tokens of one length, so that none is the beginning of another.
        const { contents = [], isTruncated } = await asked(() => client.list({ prefix: keyOf(name) }));
        await asked(() => Promise.all(contents.map(({ key }) => client.delete(key))));
        isMore = isTruncated === true;
      }
    },
    check: () => asked(async () => void (await client.list({ prefix, maxKeys: 1 }))),
  };
}

function unreachable(place: string, cause: unknown): ForecourtError {
  const reason = cause instanceof Error ? `${codeOf(cause) ?? ""} ${cause.message}`.trim() : String(cause);
  const message = `The file store ${place} cannot be used now (${reason}). Try again later; nothing of the request was kept.`;
  return new ForecourtError("unavailable", message, { details: { reason: "file_store" }, cause });
}

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : undefined);
