// How many jobs a second go from submit to an end that their callers have heard of: `bun test/bench/job-path.ts [jobs]`.
// Also the processor time of each, which a busy machine does not change. Real database with synchronous = full, real scheduler, a fleet that answers at once. Not a test: it measures.
import { asId, type KeyId } from "../../src/core/ids.ts";
import { createTestAppliance } from "../support/create-test-appliance.ts";

const CALLERS = 64;
const jobs = Number(process.argv[2] ?? 10_000);

await using appliance = await createTestAppliance();
const model = appliance.catalog.find("forecourt/echo")?.model;
if (!model) throw new Error("the catalogue lacks forecourt/echo");
const submission = {
  model,
  endpoint: model.id,
  key: asId<KeyId>("bench"),
  input: { prompt: "hi" },
  rejectInvalid: true,
};

/** Runs `count` jobs, many callers at once; resolves to jobs a second. */
async function measure(count: number): Promise<number> {
  let left = count;
  const call = async () => {
    while (left-- > 0) {
      const { id } = await appliance.jobs.submit(submission);
      for await (const event of appliance.jobs.watch(id, new AbortController().signal))
        if (event.type === "finished" && event.job.status !== "done") throw new Error("a job failed");
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, call));
  return (count / (performance.now() - started)) * 1000;
}

await measure(Math.ceil(jobs / 10));
const before = process.cpuUsage();
const rate = await measure(jobs);
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${Math.round(rate)} jobs/s, ${Math.round((user + system) / jobs)} us of processor each\n`);
