// The whole HTTP app over all of control; only the processes are fake, and runs wait for the test where it wants that.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultSettings } from "../../src/control/settings.ts";
import { asId, type FileToken, newFileToken } from "../../src/core/ids.ts";
import { createLog } from "../../src/core/log.ts";
import { createGateway, type Gateway, type GatewayParts } from "../../src/gateway/app.ts";
import { webhookBody } from "../../src/gateway/fal/webhook-body.ts";
import { createTestAppliance, type TestAppliance } from "./create-test-appliance.ts";
import { createHeldRuns, type HeldRun } from "./held-runs.ts";
import { testModel } from "./test-models.ts";

export type LogEntry = { level: string; message: string; code?: string };

/** A model without weights whose fields break in every way that a request can get wrong. */
export const echoModel = `
id: forecourt/echo
aliases: [fal-ai/echo/fast]
title: Echo
description: Gives the prompt back.
category: text-to-text
licence: { id: Apache-2.0, commercial: true }
pipeline: echo
source: { embedded: none }
dtype: fp32
memory: { weights: 0, working: 0 }
price: { unit: image, amount: 0.5, currency: USD }
examples:
  - prompt: a red circle
    steps: 2
`;

export type Ask = {
  /** "" for none. */
  key?: string;
  /** What is not a string is sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

export type TestGateway = Gateway &
  Pick<
    TestAppliance,
    "catalog" | "keys" | "accounts" | "jobs" | "webhooks" | "database" | "oversight" | "apiKey" | "adminKey" | "data"
  > & {
    logged: LogEntry[];
    /** `path` is below http://localhost, or a whole URL. */
    ask(method: string, path: string, ask?: Ask): Promise<Response>;
    holdRuns(): void;
    nextRun(): Promise<HeldRun>;
    /** Makes an output file and returns its token. */
    saveFile(name: string, content: string): FileToken;
    [Symbol.asyncDispose](): Promise<void>;
  };

/** `allow`: private networks that webhooks and input URLs may lead to. `data`: an existing folder, kept. */
export async function createTestGateway(
  { allow = [], data: given, ...options }: Partial<GatewayParts> & { allow?: string[]; data?: string } = {},
  /** Further models, by id where they echo. */
  models: (string | ReturnType<typeof testModel>)[] = [],
): Promise<TestGateway> {
  const logged: LogEntry[] = [];
  const log = createLog({ level: "debug", format: "json", write: (line) => logged.push(JSON.parse(line)) });
  const runs = createHeldRuns();
  const appliance = await createTestAppliance({
    log,
    fleet: runs.fleet,
    ...(given !== undefined && { data: given }),
    settings: { fetch: { ...defaultSettings("").fetch, allow } },
    webhookBody,
    builtInModels: [
      { file: "models/echo.yaml", text: echoModel },
      ...models.map((each) => (typeof each === "string" ? testModel(each) : each)),
    ],
  });
  const realtime = { sessionSeconds: 60 };
  const settings = { publicUrl: "", allowOrigins: ["*"], limits: { bodyMb: 16 }, realtime };
  const gateway = createGateway({ ...appliance, settings, version: "1.2.3", isReady: () => true, ...options });
  const { catalog, keys, accounts, jobs, webhooks, database, oversight, apiKey, adminKey, data, files } = appliance;
  return {
    ...gateway,
    ...{ catalog, keys, accounts, jobs, webhooks, database, oversight, apiKey, adminKey, data, logged },
    holdRuns: runs.hold,
    nextRun: runs.next,
    ask: (method, path, { key = apiKey, body, headers = {}, signal } = {}) => {
      const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
      const request = new Request(path.startsWith("http") ? path : `http://localhost${path}`, {
        method,
        headers: { ...(key !== "" && { authorization: `Key ${key}` }), ...headers },
        ...(text !== undefined && { body: text }),
        ...(signal && { signal }),
      });
      return gateway.app.handle(request);
    },
    saveFile(name, content) {
      const token = newFileToken();
      mkdirSync(files.directory(asId<FileToken>(token)), { recursive: true });
      writeFileSync(join(files.directory(token), name), content);
      return token;
    },
    [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose](),
  };
}
