// fal's hosts as paths of this box, for clients that take a fetch of their own (fal-protocol.md 7.2).

export const onBox = (url: string, origin: string) =>
  url
    .replace("https://queue.fal.run/", `${origin}/queue/`)
    .replace("https://fal.run/", `${origin}/run/`)
    .replace("https://rest.fal.ai/", `${origin}/rest/`);

/** `here` says where a URL of fal is to be found. */
export const rewrittenFetch = (here: (url: string) => string) =>
  Object.assign((url: string | URL | Request, init?: RequestInit) => fetch(here(String(url)), init), fetch);
