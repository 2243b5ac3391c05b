// Idempotency-Key: a change that is sent again within ten minutes is answered as before and not made again.
import type { Answers, Asked } from "../../control/answers/answer-store.ts";
import { ForecourtError } from "../../core/errors.ts";

export type Idempotency = (asked: Asked, answer: () => Promise<Response>) => Promise<Response>;

type Flight = { content: string; answer: Promise<Response> };

/**
 * Answers of 5xx are not kept. A server that dies between a change and the note of its answer makes the change again.
 * Throws `bad_request` for a key that came with other content before.
 */
export function createIdempotency(answers: Answers): Idempotency {
  const flights = new Map<string, Flight>();

  const make = async (asked: Asked, answer: () => Promise<Response>) => {
    const response = await answer();
    if (response.status >= 500) return response;
    const { status, headers } = response;
    const body = await response.clone().text();
    await answers.keep(asked, { status, body, contentType: headers.get("content-type") });
    return response;
  };

  return async (asked, answer) => {
    const flight = flights.get(asked.about);
    if (flight && flight.content !== asked.content) throw used();
    if (flight) return (await flight.answer).clone();
    const earlier = answers.find(asked);
    if (earlier === "other") throw used();
    if (earlier) return again(earlier);
    const made = make(asked, answer).finally(() => flights.delete(asked.about));
    flights.set(asked.about, { content: asked.content, answer: made });
    return (await made).clone();
  };
}

const again = ({ status, body, contentType }: Exclude<ReturnType<Answers["find"]>, "other" | undefined>) =>
  new Response(body === "" ? null : body, {
    status,
    headers: contentType === null ? {} : { "content-type": contentType },
  });

const used = () =>
  new ForecourtError("bad_request", "This Idempotency-Key was used for another request. Choose a new one.");
