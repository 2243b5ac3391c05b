// How many durable jobs a second go through the queue, from submit to the news that they are complete.
import { get, post, type Target } from "./client.ts";

/** `clients` at once, each submitting its next job when its last one is complete. */
export async function measureThroughput(target: Target, given: { clients: number; jobs: number }): Promise<number> {
  let left = given.jobs;
  const begun = performance.now();
  const client = async () => {
    while (left-- > 0) {
      const submitted = await post(target, "/queue/forecourt/echo", { prompt: "x" });
      const { request_id: id } = (await submitted.json()) as { request_id: string }; // fal's submit answer
      const statuses = await (await get(target, `/queue/forecourt/echo/requests/${id}/status/stream`)).text();
      if (!statuses.includes("COMPLETED")) throw new Error(`job ${id} did not complete: ${statuses}`);
    }
  };
  await Promise.all(Array.from({ length: given.clients }, client));
  return (1000 * given.jobs) / (performance.now() - begun);
}
