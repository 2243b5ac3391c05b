// Real processes: a popular model that had to make room comes back in a quiet moment, as the API tells it.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAppliance } from "../../src/control/appliance.ts";
import { defaultSettings } from "../../src/control/settings.ts";
import { silentLog } from "../../src/core/log.ts";
import { MIB } from "../../src/core/units.ts";
import { createGateway } from "../../src/gateway/app.ts";
import { testHardware } from "../support/create-test-appliance.ts";
import { watchFleet } from "../support/fleet-watcher.ts";
import { createLeapingClock } from "../support/leaping-clock.ts";
import { testModel } from "../support/test-models.ts";

// Processes on a loaded machine.
setDefaultTimeout(300_000);

const POPULAR = "test/popular";
const OTHER = "test/other";

/** What a process with the echo pipeline holds here. */
async function sizeOfRunner(): Promise<number> {
  await using watched = await watchFleet();
  const { runner } = await watched.start();
  return watched.fleet.runners().find(({ id }) => id === runner)?.memory ?? 0;
}

/** A box with room for one and a half. */
async function openBox() {
  const sizeMb = Math.ceil((await sizeOfRunner()) / MIB);
  const data = mkdtempSync(join(tmpdir(), "forecourt-reload-"));
  const settings = defaultSettings(data);
  const clock = createLeapingClock();
  const appliance = await createAppliance({
    log: silentLog,
    hardware: testHardware,
    builtInModels: [POPULAR, OTHER].map((id) => testModel(id, { sizeMb })),
    settings: { ...settings, memory: { ...settings.memory, budgetMb: Math.round(1.5 * sizeMb), spareRunners: 0 } },
    clock,
    timers: clock,
  });
  await appliance.start();
  const { app } = createGateway({ ...appliance, settings, version: "1", isReady: () => true });
  const { secret } = appliance.keys.create({ name: "test", scope: "admin" });
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const headers = { authorization: `Key ${secret}` };
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    return await app.handle(new Request(`http://localhost${path}`, { method, headers, ...given }));
  };
  return {
    clock,
    fleet: appliance.fleet,
    async use(model: string): Promise<void> {
      const answer = await ask("POST", `/run/${model}`, { prompt: "hi" });
      expect(await answer.json()).toEqual({ prompt: "hi", steps: 1 });
    },
    /** The models in memory, and how often the popular one came there for a request and without one. */
    async facts() {
      const { runners } = await (await ask("GET", "/admin/v1/status")).json();
      const metrics = await (await ask("GET", "/metrics")).text();
      const count = (name: string) =>
        Number(new RegExp(`^forecourt_${name}_count\\{model="${POPULAR}",.*\\} (\\d+)$`, "m").exec(metrics)?.[1] ?? 0);
      const loaded = runners.map(({ model, state }: Record<string, string>) => `${model} ${state}`);
      return { loaded, coldStarts: count("model_load_seconds"), reloads: count("model_reload_seconds") };
    },
    async [Symbol.asyncDispose]() {
      await appliance.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Time passes in leaps of ten seconds, but not while processes come or go. */
async function passQuietly({ clock, fleet }: Pick<Awaited<ReturnType<typeof openBox>>, "clock" | "fleet">, ms: number) {
  let { promise: news, resolve: tell } = Promise.withResolvers<void>();
  const unsubscribe = fleet.subscribe(() => {
    tell();
    ({ promise: news, resolve: tell } = Promise.withResolvers<void>());
  });
  for (let passed = 0; passed < ms; passed += 10_000) {
    clock.leap(10_000);
    do {
      // What it leads to is decided in this turn of the event loop, or in the next one.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      if (fleet.runners().some(({ state }) => state !== "ready")) await news;
    } while (fleet.runners().some(({ state }) => state !== "ready"));
  }
  unsubscribe();
}

test("a popular model that made room for another is back after some quiet minutes, and its next request finds it there", async () => {
  await using box = await openBox();
  for (let times = 0; times < 6; times++) {
    await box.use(POPULAR);
    await passQuietly(box, 60_000);
  }
  await box.use(OTHER);
  expect(await box.facts()).toEqual({ loaded: [`${OTHER} ready`], coldStarts: 1, reloads: 0 });
  await passQuietly(box, 110_000);
  expect(await box.facts()).toEqual({ loaded: [`${OTHER} ready`], coldStarts: 1, reloads: 0 });
  await passQuietly(box, 60_000);
  expect(await box.facts()).toEqual({ loaded: [`${POPULAR} ready`], coldStarts: 1, reloads: 1 });
  await box.use(POPULAR);
  expect(await box.facts()).toEqual({ loaded: [`${POPULAR} ready`], coldStarts: 1, reloads: 1 });
});
