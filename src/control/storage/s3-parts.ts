// A large file sent to a bucket in parts: they take up room there, which no listing of files shows, until they are joined or given up.
import { type Bytes, bytes, MIB } from "../../core/units.ts";
import { elementsIn, S3Refusal, type S3Request, textIn } from "./s3-request.ts";

/** Who writes down what is begun: a server that is killed in between leaves its parts behind. */
export type PartsBook = {
  /** Before anything is sent; resolves when it is on disk. */
  begins(name: string): Promise<void>;
  /** `id`: by which they are given up. */
  begun(name: string, id: string): void;
  /** They are joined, or given up. */
  over(name: string): void;
};

/** `sent`: for what a store needs more time. */
export type AnswerTo = (
  request: Omit<S3Request, "signal">,
  sent?: Bytes,
) => Promise<{ headers: Headers; text: string }>;

/** S3 takes no more, and no smaller ones but for the last. */
const MOST_PARTS = 10_000;
const LEAST_PART = 5 * MIB;
/** A part that failed is sent again before the whole file is. */
const TRIES = 3;

export function createS3Parts({ answerTo, partBytes }: { answerTo: AnswerTo; partBytes: Bytes }) {
  const sendPart = async (key: string, query: Record<string, string>, content: Blob) => {
    const headers = { "content-length": String(content.size) };
    for (let tries = 1; ; tries++)
      try {
        const part = { method: "PUT" as const, key, query, headers, body: content.stream() };
        return (await answerTo(part, bytes(content.size))).headers.get("etag") ?? "";
      } catch (error) {
        if (tries === TRIES) throw error;
      }
  };
  const sendAll = async (key: string, file: Blob, uploadId: string) => {
    const size = Math.max(partBytes, LEAST_PART, Math.ceil(file.size / MOST_PARTS));
    const etags: string[] = [];
    for (let start = 0; start < file.size; start += size) {
      const query = { partNumber: String(etags.length + 1), uploadId };
      etags.push(await sendPart(key, query, file.slice(start, start + size)));
    }
    const whole = { method: "POST" as const, key, query: { uploadId }, body: joined(etags) };
    await answerTo(whole, bytes(file.size));
  };
  const end = async (key: string, uploadId: string) => {
    try {
      await answerTo({ method: "DELETE", key, query: { uploadId } });
    } catch (error) {
      if (!isNoUpload(error)) throw error;
    }
  };
  return {
    async send(key: string, file: Blob, begun: (id: string) => void): Promise<void> {
      const { text } = await answerTo({ method: "POST", key, query: { uploads: "" } });
      const id = textIn(text, "UploadId") ?? "";
      begun(id);
      await sendAll(key, file, id);
    },
    /** Without an `id`, of all that were begun for this key. What is over already is no harm. */
    async giveUp(key: string, id: string): Promise<void> {
      if (id !== "") return await end(key, id);
      const { text } = await answerTo({ method: "GET", key: "", query: { uploads: "", prefix: key } });
      for (const upload of elementsIn(text, "Upload"))
        if (textIn(upload, "Key") === key) await end(key, textIn(upload, "UploadId") ?? "");
    },
  };
}

const isNoUpload = (error: unknown) =>
  error instanceof Error && error.cause instanceof S3Refusal && error.cause.code === "NoSuchUpload";

const joined = (etags: string[]) => {
  const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  return `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
};
