// A server with one route that only answers: what the benchmark compares the real one with.
import { Elysia } from "elysia";

/** Listens on a free port of this machine and returns where. It ends with its process. */
export function listenBare(): { origin: string } {
  const app = new Elysia().post("/echo", ({ body }) => body).listen({ hostname: "127.0.0.1", port: 0 });
  return { origin: `http://127.0.0.1:${app.server?.port}` };
}
