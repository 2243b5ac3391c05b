// Server-sent events of a response, as a client reads them: one event at a time, comments apart.

export type SentEvent = { name: string; data: unknown };

/** Ends with the stream. `comments` are collected in passing; each event must come whole in one chunk. */
export async function* readEvents(response: Response, comments: string[] = []): AsyncGenerator<SentEvent> {
  if (response.body === null) throw new Error("the response has no body");
  for await (const chunk of response.body) {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(chunk);
    if (!text.endsWith("\n\n")) throw new Error(`a chunk ends inside an event: ${JSON.stringify(text)}`);
    for (const block of text.split("\n\n").filter((each) => each !== "")) {
      if (block.startsWith(":")) comments.push(block.slice(1).trim());
      else yield parseEvent(block);
    }
  }
}

function parseEvent(block: string): SentEvent {
  const lines = block.split("\n").map((line) => line.split(/: (.*)/s));
  const field = (name: string) => lines.find(([each]) => each === name)?.[1];
  return { name: field("event") ?? "message", data: JSON.parse(field("data") ?? "null") };
}

export async function allEvents(response: Response, comments: string[] = []): Promise<SentEvent[]> {
  return await Array.fromAsync(readEvents(response, comments));
}
