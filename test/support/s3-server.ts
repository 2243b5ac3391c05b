// A real S3 server on loopback: versitygw, built from its Go module once and kept beside the system's temporary files.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Options } from "../../src/control/storage/s3-request.ts";
import { freePort, until } from "./live-server.ts";
import { madeOnce, succeeds } from "./made-once.ts";

const VERSION = "1.8.0";
const folder = madeOnce(`versitygw-${VERSION}`, (GOBIN) =>
  succeeds(["go", "install", `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`], { GOBIN }),
);

/** False where there is neither the program nor a Go to build it with; takes minutes the first time. */
export const hasS3Server = folder !== undefined;

export type S3Server = S3Options & {
  /** Objects of the bucket, by name. */
  names(): Promise<string[]>;
  /** Nobody answers until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** With one empty bucket, in a folder that may be a disk of its own. */
export async function startS3Server({
  folder: data = mkdtempSync(join(tmpdir(), "forecourt-s3-")),
} = {}): Promise<S3Server> {
  const bucket = "forecourt-test";
  mkdirSync(join(data, bucket), { recursive: true });
  const port = await freePort();
  const keys = { accessKeyId: "test-key", secretAccessKey: "test-secret" };
  const endpoint = `http://127.0.0.1:${port}`;
  const options = {
    ...keys,
    bucket,
    endpoint,
    region: "us-east-1",
    sessionToken: "",
    prefix: "",
    virtualHosted: false,
  };
  const client = new Bun.S3Client({ ...keys, bucket, endpoint, region: "us-east-1" });
  let child: Bun.Subprocess | undefined;

  const stop = async () => {
    child?.kill();
    await child?.exited;
    child = undefined;
  };
  const start = async () => {
    child = Bun.spawn([join(folder ?? "", "versitygw"), "--quiet", "--port", `127.0.0.1:${port}`, "posix", data], {
      env: { ...process.env, ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
      stdout: "ignore",
      stderr: "ignore",
    });
    const answers = () =>
      client.list({ maxKeys: 1 }).then(
        () => true,
        () => false,
      );
    await until(answers, "the S3 server answers");
  };
  await start();
  return {
    ...options,
    stop,
    start,
    async names() {
      const { contents = [] } = await client.list();
      return contents.map(({ key }) => key);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
