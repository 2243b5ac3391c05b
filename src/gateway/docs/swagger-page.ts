// The Swagger page: all of it comes from this box, so it works with the network cut.

import style from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import bundle from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { ForecourtError } from "../../core/errors.ts";

/** Swagger UI styles its elements inline; pictures of "Try it out" come from this box or are data URIs. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "media-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

const HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Forecourt</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/swagger/assets/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger/assets/swagger-ui-bundle.js"></script>
    <script src="/swagger/assets/start.js"></script>
  </body>
</html>
`;

/** Shows the pictures that an answer names below it, and lets people paste a key without its scheme. */
const START = `const picturesOf = (text) => {
  try {
    const { images = [], image } = JSON.parse(text);
    return [...images, image].filter((each) => each && each.url).map(({ url }) => url);
  } catch {
    return [];
  }
};
const showPictures = ({ React: { createElement } }) => ({
  wrapComponents: {
    responseBody: (Original) => (props) => {
      const pictures = picturesOf(props.content).map((src) => createElement("img", { key: src, src, alt: "Picture of the answer" }));
      return createElement("div", null, createElement(Original, props), ...pictures);
    },
  },
});
window.ui = SwaggerUIBundle({
  url: "/swagger/json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  docExpansion: "none",
  validatorUrl: null,
  plugins: [showPictures],
  requestInterceptor: (request) => {
    const given = request.headers.Authorization;
    if (given && !given.includes(" ")) request.headers.Authorization = "Key " + given;
    return request;
  },
});
`;

type Asset = { type: string; body: () => string | Blob };

const assets: ReadonlyMap<string, Asset> = new Map([
  ["swagger-ui-bundle.js", { type: "text/javascript; charset=utf-8", body: () => Bun.file(bundle) }],
  ["swagger-ui.css", { type: "text/css; charset=utf-8", body: () => Bun.file(style) }],
  ["start.js", { type: "text/javascript; charset=utf-8", body: () => START }],
]);

export const swaggerPage = () =>
  new Response(HTML, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });

/** Throws `not_found`. */
export function swaggerAsset(name: string): Response {
  const asset = assets.get(name);
  if (!asset) throw new ForecourtError("not_found", "There is no such file.");
  const headers = { "content-type": asset.type, "x-content-type-options": "nosniff", "cache-control": "max-age=3600" };
  return new Response(asset.body(), { headers });
}
