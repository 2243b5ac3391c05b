// Parts of large uploads on disk until they are joined: in any order, each complete or not there.
import { createReadStream, readdirSync, rmSync, statSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import { type Content, writeContent } from "./write-content.ts";

/** `etag` without quotes: SHA-256 of the part, hexadecimal. */
export type UploadPart = { number: number; etag: string };

export type UploadParts = {
  /** Throws `bad_request` for a number out of range and what writeContent throws. */
  write(token: string, number: number, content: Content): Promise<UploadPart>;
  /** The parts as one, by their numbers. Throws `bad_request` at once when one is not there or named twice. */
  read(token: string, parts: readonly UploadPart[]): Content;
  remove(token: string): void;
  /** Of all that are there. */
  sizes(token: string): number[];
  /** Removes the parts of uploads that no longer wait for any. */
  sweep(isOpen: (token: string) => boolean): Promise<void>;
};

/** Callers begin as many uploads as they like, and many are never completed: between so many the server does its other work. */
const SWEPT_AT_ONCE = 25;

/** As in S3. */
const MOST_PARTS = 10_000;

export type UploadPartsOptions = { root: string; temporary: () => string; maxBytes: Bytes };

export function createUploadParts({ root, temporary, maxBytes }: UploadPartsOptions): UploadParts {
  const folderOf = (token: string) => join(root, token);
  const pathOf = (token: string, { number, etag }: UploadPart) => join(folderOf(token), `${number}-${etag}`);
  const remove = (token: string) => rmSync(folderOf(token), { recursive: true, force: true });
  /** Paths of all parts but the versions of one. */
  const others = (token: string, number: number) => list(folderOf(token)).filter((name) => numberOf(name) !== number);

  return {
    async write(token, number, content) {
      if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS)
        throw new ForecourtError("bad_request", `Parts are numbered from 1 to ${MOST_PARTS}.`);
      const taken = others(token, number).reduce((sum, name) => sum + sizeOf(join(folderOf(token), name)), 0);
      const file = temporary();
      const keep = async ({ digest: etag }: { digest: string }) => {
        await mkdir(folderOf(token), { recursive: true, mode: 0o700 });
        await rename(file, pathOf(token, { number, etag }));
      };
      const { digest } = await writeContent(content, { temporary: file, maxBytes: maxBytes - taken, keep });
      for (const name of list(folderOf(token)))
        if (numberOf(name) === number && name !== `${number}-${digest}`)
          rmSync(join(folderOf(token), name), { force: true });
      return { number, etag: digest };
    },
    read(token, parts) {
      const there = new Set(list(folderOf(token)));
      const sorted = parts.toSorted((a, b) => a.number - b.number);
      for (const [at, { number, etag }] of sorted.entries()) {
        if (number === sorted[at - 1]?.number)
          throw new ForecourtError("bad_request", `Part ${number} is named twice.`);
        if (!there.has(`${number}-${etag}`))
          throw new ForecourtError("bad_request", `Part ${number} did not arrive, or its etag is another.`);
      }
      return concat(sorted.map((part) => pathOf(token, part)));
    },
    remove,
    sizes: (token) => list(folderOf(token)).map((name) => sizeOf(join(folderOf(token), name))),
    async sweep(isOpen) {
      for (const [at, token] of list(root).entries()) {
        if (at % SWEPT_AT_ONCE === SWEPT_AT_ONCE - 1) await new Promise(setImmediate);
        if (!isOpen(token)) remove(token);
      }
    },
  };
}

const numberOf = (name: string) => Number(name.slice(0, name.indexOf("-")));

/** None before the first part. */
function list(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder) : [];
}

/** 0 for a part that was replaced in this moment. */
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

async function* concat(paths: string[]): Content {
  for (const path of paths) yield* createReadStream(path, { highWaterMark: READ_BYTES });
}

const READ_BYTES = 1024 * 1024;
