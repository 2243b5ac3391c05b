// The whole HTTP app with a real catalogue, keys and files; only the jobs are moved by hand (fake-jobs.ts).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCatalog } from "../../src/control/catalog/catalog.ts";
import { openDatabase } from "../../src/control/database/open.ts";
import { createKeys, type KeyScope } from "../../src/control/keys/keys.ts";
import { createFiles } from "../../src/control/storage/files.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Device } from "../../src/core/device.ts";
import { asId, type DeviceId } from "../../src/core/ids.ts";
import { createLog } from "../../src/core/log.ts";
import { bytes } from "../../src/core/units.ts";
import { createGateway, type GatewayParts } from "../../src/gateway/app.ts";
import { createFakeJobs } from "./fake-jobs.ts";

export type LogEntry = { level: string; message: string; code?: string };

/** An echo model with every kind of field rule that requests can break. */
export const echoModel = `
id: forecourt/echo
aliases: [fal-ai/echo/fast]
title: Echo
description: Gives the prompt back.
category: text-to-text
licence: { id: Apache-2.0, commercial: true }
pipeline: echo
source: { embedded: none }
memory: { weights: 0, working: 0 }
price: { unit: request, amount: 0.5, currency: USD }
examples:
  - prompt: a red circle
    steps: 2
`;

const device: Device = {
  id: asId<DeviceId>("cpu"),
  kind: "cpu",
  index: 0,
  name: "Test CPU",
  memory: { total: bytes(1000), free: bytes(500) },
};

export type TestGateway = ReturnType<typeof createTestGateway>;

export function createTestGateway(options: Partial<GatewayParts> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-gateway-"));
  const database = openDatabase({ file: ":memory:", synchronous: "normal" });
  const keys = createKeys({ database, clock: systemClock });
  const catalog = createCatalog({ builtIn: [{ file: "models/echo.yaml", text: echoModel }] });
  const jobs = createFakeJobs({
    inputOf: ({ model }) => {
      const entry = catalog.find(model.id);
      if (!entry) throw new Error(`no model ${model.id}`);
      return entry.input;
    },
  });
  const files = createFiles({ root: folder });
  const logged: LogEntry[] = [];
  const log = createLog({ level: "debug", format: "json", write: (line) => logged.push(JSON.parse(line)) });
  const fleet: GatewayParts["fleet"] = {
    runners: () => [],
    backOffs: () => new Map(),
    load: () => {},
    run: () => {},
    cancel: () => {},
    evict: () => {},
    subscribe: () => () => {},
    stop: async () => {},
  };
  const gateway = createGateway({
    catalog,
    keys,
    jobs,
    files,
    fleet,
    device,
    log,
    settings: { publicUrl: "", allowOrigins: ["*"], limits: { bodyMb: 16 } },
    version: "1.2.3",
    isReady: () => true,
    ...options,
  });
  const mint = (scope: KeyScope, name: string = scope) => keys.create({ name, scope });
  const api = mint("api");
  return {
    ...gateway,
    catalog,
    keys,
    jobs,
    files,
    logged,
    key: api.secret,
    keyId: api.key.id,
    mint,
    admin: mint("admin").secret,
    /** `path` below http://localhost; a body that is not a string is sent as JSON. */
    async ask(method: string, path: string, { key = api.secret, body, headers = {}, signal }: Ask = {}) {
      const url = path.startsWith("http") ? path : `http://localhost${path}`;
      const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
      return await gateway.app.handle(
        new Request(url, {
          method,
          headers: { ...(key !== "" && { authorization: `Key ${key}` }), ...headers },
          ...(text !== undefined && { body: text }),
          ...(signal && { signal }),
        }),
      );
    },
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Ask = {
  /** "" for none. */
  key?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};
