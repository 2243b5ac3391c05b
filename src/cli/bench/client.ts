// Requests to a measured server.
import { ForecourtError } from "../../core/errors.ts";
import type { Served } from "./own-process.ts";

export type Target = Pick<Served, "origin" | "key">;

/** Throws `unavailable` for an answer that is none: a benchmark of failures measures nothing. */
export async function post({ origin, key }: Target, path: string, body: unknown): Promise<Response> {
  return checked(
    await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { authorization: `Key ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

export async function get({ origin, key }: Target, path: string): Promise<Response> {
  return checked(await fetch(`${origin}${path}`, { headers: { authorization: `Key ${key}` } }));
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new ForecourtError("unavailable", `The measured server answered ${response.status}: ${await response.text()}`);
}
