// A program of a user: fal's client against a box behind a private authority that only its environment trusts.
import { createFalClient } from "@fal-ai/client";

const { BOX: box = "", FAL_KEY: credentials = "" } = process.env;
const fal = createFalClient({
  credentials,
  requestMiddleware: async (request) => ({
    ...request,
    url: request.url.replace("https://fal.run/", `${box}/run/`).replace("https://rest.fal.ai/", `${box}/rest/`),
  }),
});
const { data } = await fal.run("test/echo/idle", { input: { prompt: "over TLS" } });
const url = await fal.storage.upload(new Blob(["over TLS too"]));
const file = await (await fetch(url)).text();
process.stdout.write(JSON.stringify({ data, url, file }));
