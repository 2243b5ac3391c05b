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
    <link rel="stylesheet" href="/swagger/assets/own.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript; <a href="/swagger/json">what it shows</a> does not.</noscript>
    <script src="/swagger/assets/swagger-ui-bundle.js"></script>
    <script src="/swagger/assets/start.js"></script>
  </body>
</html>
`;

/** No answer has links; they take room that a telephone does not have. */
const OWN_STYLE = `.swagger-ui .response-col_links { display: none; }
.swagger-ui .response-col_description { width: 100%; }
.swagger-ui .responses-inner img, .swagger-ui .responses-inner video { max-width: 100%; }
html.dark-mode .swagger-ui .examples-select__section-label { color: #e4e6e6; }
@media (max-width: 640px) {
  .swagger-ui .opblock .opblock-section-header { flex-wrap: wrap; }
  .swagger-ui .opblock .try-out { display: flex; flex-wrap: wrap; }
  .swagger-ui .opblock-tag { flex-wrap: wrap; font-size: 18px; }
  .swagger-ui .opblock-tag small { flex-basis: 100%; order: 1; padding: 0; }
  .swagger-ui .filter-container .operation-filter-input, .swagger-ui .auth-container input { width: 100%; max-width: none; }
  .swagger-ui .response-col_status { min-width: 50px; }
}
`;

/** As bright as its reader's other pages. Shows what an answer names below it, and lets people paste a key without its scheme. */
const START = `const darkness = matchMedia("(prefers-color-scheme: dark)");
const followDarkness = () => document.documentElement.classList.toggle("dark-mode", darkness.matches);
followDarkness();
darkness.addEventListener("change", followDarkness);
// For screen readers: Swagger UI leaves these without a name.
const names = { "#servers": "Server", ".examples-select-element": "Example", ".body-param__text": "Request body" };
new MutationObserver(() => {
  for (const [selector, name] of Object.entries(names))
    for (const each of document.querySelectorAll(selector + ":not([aria-label])")) each.setAttribute("aria-label", name);
}).observe(document.body, { childList: true, subtree: true });
const filesOf = (text) => {
  try {
    return Object.values(JSON.parse(text)).flat().filter((each) => each && typeof each.url === "string");
  } catch {
    return [];
  }
};
const elementOf = { image: "img", audio: "audio", video: "video" };
const showFiles = ({ React: { createElement } }) => ({
  wrapComponents: {
    responseBody: (Original) => (props) => {
      const files = filesOf(props.content).map(({ url: src, content_type = "", file_name: name }) => {
        const kind = (/^data:([^;,]*)/.exec(src) || [])[1] || content_type;
        const element = elementOf[kind.split("/")[0]];
        const said = element === "img" ? { alt: "Picture of the answer" } : { controls: true, "aria-label": kind + " of the answer" };
        if (element) return createElement(element, { key: src, src, ...said });
        // A 3D model, a MIDI file: what no page shows by itself.
        return name && createElement("p", { key: src }, createElement("a", { href: src, download: name }, "Download " + name));
      });
      return createElement("div", null, createElement(Original, props), ...files);
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
  plugins: [showFiles],
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
  ["own.css", { type: "text/css; charset=utf-8", body: () => OWN_STYLE }],
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
