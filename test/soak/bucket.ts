// A bucket for a soak, with a disk and a line of its own, that has each of its troubles in turn: whose files are all there in the end?
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/live-server.ts";
import { startS3Server } from "../support/s3-server.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { startTroubledLine } from "../support/troubled-line.ts";
import { ask, type Caller, json, type Scenario, somePrompt } from "./caller.ts";
import { DRAWER } from "./job-callers.ts";

const DISK_MB = 256;
const SLOW_BYTES_PER_SECOND = 100_000;
/** Each lasts so long a part of the soak, with as much rest before it, and twice as much after the last. */
const TROUBLES = 4;
const PARTS = 2 * TROUBLES + 2;
/** What was asked in the trouble is answered by then. */
const AFTERMATH_MS = 15_000;
/** What is over leaves within a minute, and waits for as long after a trouble. */
const SWEPT_MS = 240_000;

export type SoakBucket = Awaited<ReturnType<typeof startSoakBucket>>;

export async function startSoakBucket(say: (line: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-soak-bucket-"));
  const disk = mountSmallDisk(folder, DISK_MB);
  if (!disk.isOwn) throw new Error(`The bucket needs a disk of its own to fill: ${disk.why}`);
  const server = await startS3Server({ folder: join(folder, "store") });
  const line = await startTroubledLine(Number(new URL(server.endpoint).port));
  const files = new Map<string, string>();
  let calmSince = Number.NEGATIVE_INFINITY;

  const troubles: Record<string, { begin(): unknown; end(): unknown }> = {
    stopped: { begin: server.stop, end: server.start },
    silent: { begin: () => line.suffer("silent"), end: () => line.suffer("none") },
    slow: { begin: () => line.suffer({ bytesPerSecond: SLOW_BYTES_PER_SECOND }), end: () => line.suffer("none") },
    full: { begin: () => disk.fill(), end: disk.empty },
  };

  return {
    env: {
      FORECOURT_STORAGE_S3_BUCKET: server.bucket,
      FORECOURT_STORAGE_S3_ENDPOINT: `http://127.0.0.1:${line.port}`,
      FORECOURT_STORAGE_S3_ACCESS_KEY_ID: server.accessKeyId,
      FORECOURT_STORAGE_S3_SECRET_ACCESS_KEY: server.secretAccessKey,
    },
    /** Resolves when all troubles are over. */
    async suffer(minutes: number) {
      const part = (minutes * 60_000) / PARTS;
      for (const [name, { begin, end }] of Object.entries(troubles)) {
        await Bun.sleep(part); // how long all is well, and not
        say(`the bucket is ${name}`);
        calmSince = Number.POSITIVE_INFINITY;
        await begin();
        await Bun.sleep(part);
        await end();
        calmSince = performance.now();
        say("the bucket is well");
      }
    },
    /** May a request fail for want of the bucket? */
    isTroubled: () => performance.now() < calmSince + AFTERMATH_MS,
    scenarios: {
      "kept output": { share: 4, run: keptOutput(files) },
      "kept upload": { share: 4, run: keptUpload(files) },
    },
    /**
     * Everything that was given a URL for good is there, no output besides is, and nothing waits on the box. Of uploads that failed
     * some may have arrived: they go a day after they were begun.
     */
    async complaints(caller: Caller, data: string): Promise<string[]> {
      const keptOutputs = [...files.keys()].filter((url) => !url.includes("/cdn/")).length;
      const outputs = async () => (await server.names()).filter((name) => name.startsWith("files/")).length;
      const waiting = () => ["files", "uploads"].flatMap((each) => filesBelow(join(data, each))).length;
      const isClean = async () => waiting() === 0 && (await outputs()) === keptOutputs;
      const isLate = await until(isClean, "the bucket holds what is kept", SWEPT_MS).then(
        () => false,
        () => true,
      );
      const wrong: string[] = [];
      for (const [url, hash] of files) {
        const answer = await ask(caller, url, { key: "" });
        if (Bun.hash(await answer.bytes()).toString() !== hash) wrong.push(`${url}: ${answer.status}`);
      }
      return [
        ...(isLate
          ? [
              `${keptOutputs} outputs are kept, ${await outputs()} are in the bucket, ${waiting()} files wait on the box`,
            ]
          : []),
        ...(wrong.length > 0 ? [`${wrong.length} kept files are lost, first ${wrong[0]}`] : []),
      ];
    },
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      disk.unmount();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Kept = Map<string, string>;

/** Also while there is no bucket: what a runner wrote is read where it wrote it. */
const keptOutput =
  (kept: Kept): Scenario =>
  async (caller) => {
    const body = { prompt: somePrompt(caller.random), num_inference_steps: 1 };
    const drawn = await ask(caller, `/run/${DRAWER}`, { body });
    const { images } = await json<{ images: { url: string }[] }>(await caller.tally.take("kept: drawn", drawn, [200]));
    const url = images[0]?.url ?? "";
    const read = await caller.tally.take("kept: output read", await ask(caller, url, { key: "" }), [200]);
    kept.set(url, Bun.hash(await read.bytes()).toString());
  };

const keptUpload =
  (kept: Kept): Scenario =>
  async (caller) => {
    const content = crypto.getRandomValues(new Uint8Array(1 + Math.floor(caller.random() * 60_000)));
    const headers = { "content-type": "application/octet-stream" };
    const sent = await ask(caller, "/cdn/files/upload", { body: content, headers });
    const { access_url } = await json<{ access_url: string }>(await caller.tally.take("kept: upload", sent, [200]));
    kept.set(access_url, Bun.hash(content).toString());
  };

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
