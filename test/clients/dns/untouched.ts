// A program of a user, written for fal's cloud: nothing in it knows of the box.
import { fal } from "@fal-ai/client";

const ECHO = "test/echo/idle";
const run = await fal.run(ECHO, { input: { prompt: "run" } });
const subscribed = await fal.subscribe(ECHO, { input: { prompt: "subscribed", steps: 2, step_ms: 5 }, logs: true });
const stream = await fal.stream(ECHO, { input: { prompt: "streamed" }, connectionMode: "client" });
const url = await fal.storage.upload(new Blob(["x".repeat(1024)], { type: "text/plain" }));
const file = await fetch(url);
process.stdout.write(
  JSON.stringify({
    run: run.data,
    subscribe: subscribed.data,
    stream: await stream.done(),
    url,
    file: (await file.text()).length,
  }),
);
