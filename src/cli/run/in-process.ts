// One run without a server: the appliance lives for this one job.
import { type Appliance, createAppliance } from "../../control/appliance.ts";
import type { Settings } from "../../control/settings.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Job, JobEvent } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import type { Model } from "../../engine/model.ts";
import { dtypeOnDevice } from "../../engine/variants.ts";
import { tellingOfDownload } from "./download.ts";
import type { Outcome } from "./outcome.ts";
import type { Order } from "./through-server.ts";

export async function runInProcess(
  { settings, log }: { settings: Settings; log: Log },
  order: Order,
): Promise<Outcome> {
  order.progress.show("starting");
  // For one job no process is started ahead.
  const memory = { ...settings.memory, spareRunners: 0 };
  const appliance = await createAppliance({ settings: { ...settings, memory }, log });
  try {
    await appliance.start();
    return await runOn(appliance, order);
  } finally {
    await appliance.stop();
  }
}

async function runOn(
  { jobs, keys, files, supply }: Appliance,
  { entry, endpoint, input, progress, signal }: Order,
): Promise<Outcome> {
  const key = keys.list().find(({ scope, revokedAt }) => scope === "admin" && revokedAt === undefined);
  if (!key)
    throw new ForecourtError(
      "forbidden",
      "There is no admin key to run with; make one with `forecourt keys create --name admin --scope admin`.",
    );
  const { model } = entry;
  const { id } = await jobs.submit({
    model,
    endpoint,
    key: key.id,
    input,
    rejectInvalid: true,
    mayWait: true,
  });
  signal.addEventListener("abort", () => jobs.abandon(id), { once: true });
  const watching = { look: supply.downloads, model: model.id, progress };
  const job = await tellingOfDownload(watching, async (began) => {
    for await (const event of jobs.watch(id, new AbortController().signal)) {
      if (event.type === "finished") return event.job;
      if (event.type !== "queued") began();
      show(event, progress);
    }
    throw new ForecourtError("internal", `Request ${id} ended without a result.`);
  });
  return outcomeOf(job, { model, files });
}

function show(event: JobEvent, progress: Order["progress"]): void {
  if (event.type === "queued") progress.show("loading the model");
  if (event.type === "started") progress.show("running");
  if (event.type === "progress") progress.show("running", { at: event.at, of: event.of });
}

async function outcomeOf(job: Job, { model, files }: { model: Model; files: Appliance["files"] }): Promise<Outcome> {
  if (job.status === "failed") throw ForecourtError.from(job.failure);
  if (job.status !== "done") throw new ForecourtError("client_cancelled", "The run was cancelled.");
  const { queueMs, loadMs, runMs } = job.timing;
  const dtype = dtypeOnDevice(model, job.device);
  return {
    requestId: job.id,
    output: job.output,
    device: job.device,
    ...(dtype !== undefined && { dtype }),
    timing: `queue=${Math.round(queueMs)}, load=${Math.round(loadMs)}, run=${Math.round(runMs)}`,
    async open(url) {
      if (url.startsWith("data:")) return (await fetch(url)).bytes();
      const stored = await files.find(job.files, url.slice("forecourt-file:".length));
      if (!stored) throw new ForecourtError("not_found", `The run's file ${url} is gone.`);
      return await new Response(await stored.read()).bytes();
    },
  };
}
