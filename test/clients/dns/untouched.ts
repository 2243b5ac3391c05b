// A program of a user, written for fal's cloud: nothing in it knows of the box.
import { fal } from "@fal-ai/client";

const ECHO = "test/echo/idle";
const run = await fal.run(ECHO, { input: { prompt: "run" } });
const subscribed = await fal.subscribe(ECHO, { input: { prompt: "subscribed", steps: 2, step_ms: 5 }, logs: true });
const stream = await fal.stream(ECHO, { input: { prompt: "streamed" }, connectionMode: "client" });
const url = await fal.storage.upload(new Blob(["x".repeat(1024)], { type: "text/plain" }));
const file = await fetch(url);

/** The results of a realtime connection, each message sent when the one before was answered. */
async function answers(app: string, messages: object[]): Promise<Record<string, unknown>[]> {
  const results: Record<string, unknown>[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = () => {
    const message = messages[results.length];
    if (message) connection.send(message);
    else resolve();
  };
  const connection = fal.realtime.connect(app, {
    throttleInterval: 0,
    onResult(result) {
      results.push(result);
      next();
    },
    onError: reject,
  });
  next();
  await promise;
  connection.close();
  return results;
}

/** One request over a WebSocket: the kinds of its frames and its body. */
async function overSocket(body: object): Promise<unknown[]> {
  const headers = { authorization: `Key ${process.env.FAL_KEY}` };
  const socket: WebSocket = Reflect.construct(WebSocket, [`wss://ws.fal.run/${ECHO}`, { headers }]);
  socket.binaryType = "arraybuffer";
  const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
  const frames: unknown[] = [];
  socket.onopen = () => socket.send(JSON.stringify(body));
  socket.onerror = () => reject(new Error("ws.fal.run cannot be reached"));
  socket.onmessage = ({ data }) => {
    const isMeta = typeof data === "string";
    const value = JSON.parse(isMeta ? data : new TextDecoder().decode(data));
    frames.push(isMeta ? value.type : value);
    if (isMeta && value.type === "end") resolve(frames);
  };
  const seen = await promise;
  socket.close(1000);
  return seen;
}

const realtime = await answers(ECHO, [
  { prompt: "first", request_id: "1" },
  { prompt: "second", request_id: "2" },
]);
const [drawn] = await answers("forecourt/demo-diffusion", [{ prompt: "a red circle" }]);
const { images = [] } = (drawn ?? {}) as { images?: { width: number }[] };
const socket = await overSocket({ prompt: "over a socket" });
process.stdout.write(
  JSON.stringify({
    run: run.data,
    subscribe: subscribed.data,
    stream: await stream.done(),
    url,
    file: (await file.text()).length,
    realtime,
    picture: images[0]?.width,
    socket,
  }),
);
