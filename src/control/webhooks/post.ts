// One attempt to hand a webhook to its receiver: to public addresses only, without following redirects, bounded in time and size.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Address, judgedAddress, pinnedTo, type Resolver, systemResolver } from "../storage/pinned-address.ts";
import type { AddressGuard } from "../storage/public-address.ts";
import { unlessAborted } from "../unless-aborted.ts";

/** What the receiver made of it. `refused`: no later attempt can end otherwise. */
export type Reply =
  | { type: "accepted"; httpStatus: number }
  | { type: "failed"; reason: string; httpStatus?: number }
  | { type: "refused"; reason: string; httpStatus?: number };

export type Parcel = { url: string; headers: Record<string, string>; body: string };

/** Never throws: what goes wrong on the way is a reply. An aborted attempt fails with the signal's reason. */
export type Post = (parcel: Parcel, signal: AbortSignal) => Promise<Reply>;

/** Enough for any answer that means something; what is longer is cut off, for nobody reads it. */
const ANSWER_BYTES = 64 * 1024;

export const createPost =
  ({ guard, resolver = systemResolver }: { guard: AddressGuard; resolver?: Resolver }): Post =>
  async (parcel, signal) => {
    try {
      const url = new URL(parcel.url);
      // A name server that is silent must not hold an attempt beyond its time.
      const address = await unlessAborted(judgedAddress(url, { guard, resolver }), signal);
      if ("refusal" in address) return { type: "refused", reason: address.refusal };
      const response = await send({ ...parcel, url, address }, signal);
      const reply = replyOf(response.statusCode ?? 0);
      await readToEnd(response, signal);
      return reply;
    } catch (error) {
      return { type: "failed", reason: reasonOf(signal.aborted ? signal.reason : error) };
    }
  };

function replyOf(httpStatus: number): Reply {
  if (httpStatus >= 200 && httpStatus < 300) return { type: "accepted", httpStatus };
  const reason = `the receiver answered ${httpStatus}`;
  if (httpStatus >= 300 && httpStatus < 400)
    return { type: "refused", reason: `${reason}, and redirects are not followed`, httpStatus };
  return { type: "failed", reason, httpStatus };
}

type Sending = Omit<Parcel, "url"> & { url: URL; address: Address };

function send({ url, address, headers, body }: Sending, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const all = {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": "forecourt",
  };
  return new Promise((resolve, reject) => {
    request(url, { method: "POST", lookup: pinnedTo(address), headers: all, signal, agent: false }, resolve)
      .on("error", reject)
      .end(body);
  });
}

/** A receiver that answers while its handler still works must not see the connection break. Its status counts already. */
async function readToEnd(response: IncomingMessage, signal: AbortSignal): Promise<void> {
  let size = 0;
  try {
    for await (const chunk of response) {
      size += Buffer.byteLength(chunk);
      if (size > ANSWER_BYTES || signal.aborted) break;
    }
  } catch {
    // The status line was the answer; how its body ends changes nothing.
  } finally {
    response.destroy();
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
