// Clients in which nothing is patched: Python's by its environment variables, and both by the names of fal's hosts.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCertificates } from "../../src/cli/tls/certificate-files.ts";
import { proved } from "../support/conformance.ts";
import { startServer } from "../support/live-server.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { pythonWithFal, pythonWithFalClient } from "./python/python.ts";
import { ECHO_MODEL } from "./server-under-test.ts";

const python = pythonWithFalClient();
const pythonOfApps = pythonWithFal();
/** Rights to make namespaces: as root, mostly. */
const unshare = ["unshare", "--mount", "--net"];
const mayUnshare = process.platform === "linux" && Bun.which("ip") !== null && succeeds([...unshare, "true"]);

let folder: string;
const pem = (name: string) => join(folder, "tls", `${name}.pem`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forecourt-untouched-"));
  await Bun.write(join(folder, "data", ECHO_MODEL.file), ECHO_MODEL.text);
  const names = ["localhost", "fal.run", "queue.fal.run", "ws.fal.run", "rest.fal.ai", "v3.fal.media"];
  await writeCertificates({ dir: join(folder, "tls"), names, days: 1, now: new Date() });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const seenByPython = (cdn: string) => ({
  run: { prompt: "run", steps: 1 },
  submit: { data: { prompt: "submitted", steps: 2 }, status: "Completed" },
  subscribe: {
    data: { prompt: "subscribed", steps: 3 },
    logs: ["idle step 1 of 3", "idle step 2 of 3", "idle step 3 of 3"],
  },
  stream: [{ prompt: "streamed", steps: 1 }],
  ...{ cancel: 499, wrong_input: 422 },
  small_url: expect.stringContaining(`${cdn}/files/b/`),
  ...{ small_is_whole: true, middle_is_whole: true, large_is_whole: true },
  errors: { start_timeout: { status: 504, type: "request_timeout" }, unknown_model: 404, wrong_key: 401 },
  realtime: { by_token: REALTIME_BY_PYTHON, by_key: REALTIME_BY_PYTHON },
  realtime_async: [ASYNC, ASYNC],
  picture: { is_png: true, width: 128 },
  previews: { previews: 5, ends_with_file: true },
  webhook: null,
});

const ASYNC = { prompt: "asynchronous", steps: 1 };
const REALTIME_BY_PYTHON = [{ prompt: "one", steps: 1, request_id: "1" }, "INVALID_INPUT", { prompt: "two", steps: 1 }];

const SEEN_BY_APPS = {
  run: { prompt: "run", steps: 1 },
  submit: {
    data: { prompt: "submitted", steps: 3 },
    was_under_way: true,
    logs: ["idle step 1 of 3", "idle step 2 of 3", "idle step 3 of 3"],
  },
  cancel: [499, "client_cancelled"],
  stream: [{ prompt: "streamed", steps: 1 }],
  over_socket: [{ prompt: "one", steps: 1 }, ["missing", "greater_than_equal"], { prompt: "two", steps: 1 }],
};

test.skipIf(python === undefined)(
  "fal_client by its environment variables, with its two fixed addresses set",
  async () => {
    const tls = { cert: pem("cert"), key: pem("key"), ca: pem("ca") };
    await using receiver = startReceiver();
    const env = { FORECOURT_FETCH_ALLOW: "127.0.0.0/8" };
    await using server = await startServer({ data: join(folder, "data"), tls, env });
    const host = server.origin.replace("https://", "");
    const seen = await outputOf([python ?? "", join(import.meta.dir, "python/calls.py")], {
      ...{ FAL_KEY: server.key, FAL_RUN_HOST: `${host}/run`, FAL_QUEUE_RUN_HOST: `${host}/queue` },
      ...{ REST_URL: `${server.origin}/rest`, CDN_URL: `${server.origin}/cdn`, SSL_CERT_FILE: tls.ca },
      WEBHOOK_URL: `${receiver.origin}/hook`,
    });
    const [told] = await receiver.count(1);
    const { request_id: webhook, ...end } = JSON.parse(told?.body ?? "{}");
    expect(end).toMatchObject({ status: "OK", payload: { prompt: "told", steps: 1 } });
    expect(JSON.parse(seen)).toEqual({ ...seenByPython(`${server.origin}/cdn`), webhook });
    proved("python", "run", "submit", "status", "result", "subscribe", "logs", "stream", "cancel", "error-fields");
    proved("python", "upload", "upload-parts", "realtime", "realtime-token");
    proved("python", "webhook", "start-timeout", "error-auth", "error-unknown");
  },
  300_000,
);

test.skipIf(!mayUnshare)(
  "both clients by internal DNS and a private authority, with nothing set but those",
  async () => {
    const inside = join(import.meta.dir, "dns/inside.ts");
    const seen = await outputOf([...unshare, process.execPath, inside, folder, python ?? "-", pythonOfApps ?? "-"]);
    expect(JSON.parse(seen)).toEqual({
      javascript: {
        run: { prompt: "run", steps: 1 },
        subscribe: { prompt: "subscribed", steps: 2 },
        stream: { prompt: "streamed", steps: 1 },
        url: expect.stringContaining("https://v3.fal.media/files/b/"),
        file: 1024,
        realtime: [
          { prompt: "first", steps: 1, request_id: "1" },
          { prompt: "second", steps: 1, request_id: "2" },
        ],
        picture: 128,
        socket: ["start", { prompt: "over a socket", steps: 1 }, "end"],
      },
      ...(python !== undefined && { python: seenByPython("https://v3.fal.media") }),
      ...(pythonOfApps !== undefined && { apps: SEEN_BY_APPS }),
    });
    proved("js", "dns");
    if (python !== undefined) proved("python", "dns");
    if (pythonOfApps === undefined) return;
    proved("fal-apps", "run", "submit", "status", "result", "logs", "cancel", "stream", "http-over-ws");
    proved("fal-apps", "error-fields", "dns");
  },
  300_000,
);

function succeeds(command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stderr: "ignore" }).success;
  } catch {
    return false; // there is no such program
  }
}

async function outputOf(command: string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(stderr);
  return stdout;
}
