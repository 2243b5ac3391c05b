// Batches on a whole box with a database on disk, by a face that tells how each of their lines ended.
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Limits } from "../../src/control/accounts/account.ts";
import type { Appliance } from "../../src/control/appliance.ts";
import type { BatchFace } from "../../src/control/batches/batch.ts";
import type { Submission } from "../../src/control/jobs/submission.ts";
import { defaultSettings } from "../../src/control/settings.ts";
import { ForecourtError } from "../../src/core/errors.ts";
import type { KeyId } from "../../src/core/ids.ts";
import { createTestAppliance } from "./create-test-appliance.ts";
import { createFakeFleet } from "./fake-fleet.ts";
import { echoEntry } from "./job-board.ts";
import { createTestClock } from "./test-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-batches-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

type Asked = Pick<Submission, "model" | "endpoint" | "input">;

const echoed = (prompt: string): Asked => ({ model: echoEntry.model, endpoint: "forecourt/echo", input: { prompt } });

/** A request in each line, and how it ended beside it. */
const faceOf = (asked: (text: string) => Asked): BatchFace => ({
  read: (text) => (text.startsWith("!") ? { message: "no prompt", param: null } : { customId: text, model: "echo" }),
  async run({ text, customId, caller, jobs, stop }) {
    try {
      const job = await jobs.submit({ ...asked(text), key: caller.id, rejectInvalid: true });
      const ended = await jobs.untilEnd(job.id, stop);
      return { isDone: ended?.status === "done", result: `${customId} ${ended?.status}` };
    } catch (error) {
      if (!(error instanceof ForecourtError)) throw error;
      return { isDone: false, result: `${customId} ${error.code}` };
    }
  },
  refuse: ({ customId }, { code }) => `${customId} ${code}`,
});

/** `asked`: what a line stands for; without it the prompt of an echo. */
export function batchBench({ roomMb = 0, asked = echoed }: { roomMb?: number; asked?: typeof echoed } = {}) {
  const clock = createTestClock();
  const data = join(folder, String(count++));
  const open = async (fleet = createFakeFleet({ clock })) => {
    const storage = { ...defaultSettings("").storage, roomMb };
    const box = await createTestAppliance({ data, clock, timers: clock, fleet, settings: { storage } });
    box.batches.serve(faceOf(asked));
    return box;
  };
  return { clock, open };
}

export function keyOf(box: Appliance, limits: Limits = {}) {
  const { key } = box.keys.create({ name: "many", scope: "api" });
  box.accounts.store.setLimits({ kind: "key", id: key.id }, limits);
  return key;
}

export async function begun(box: Appliance, key: KeyId, prompts: string[]) {
  const { token, secret } = await box.uploads.begin({
    key,
    name: "in.jsonl",
    contentType: "text/plain",
    purpose: "batch",
  });
  await box.uploads.write(secret, new Blob([prompts.join("\n")]).stream());
  const { id } = await box.batches.create({ key, endpoint: "echo", input: token, metadata: {}, origin: "http://box" });
  return { id, token };
}

/** Time goes on meanwhile where it is told to. */
export async function until(condition: () => boolean, pass: () => void = () => {}): Promise<void> {
  for (const deadline = Date.now() + 30_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`it did not come to this: ${condition}`);
    pass();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
export const isOver = (box: Appliance, id: string) => () => (box.batches.find(id)?.endedAt ?? null) !== null;

export const read = async (box: Appliance, token: string | null = null) => {
  const file = box.uploads.ofToken(token ?? "");
  return file ? (await new Response(await file.read()).text()).split("\n").filter(Boolean) : [];
};
