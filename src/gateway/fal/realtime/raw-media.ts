// Results of realtime runs carry their media inside: as data URIs where these were asked for, else as raw bytes.

const DATA_URI = /^data:([^;,]*)[^,]*;base64,/;

/** A copy in which every `{url: "data:..."}` has become `{content: <bytes>}`, as fal's realtime images are. */
export function withRawMedia(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withRawMedia);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, withRawMedia(inner)] as const);
  const { url, ...rest } = Object.fromEntries(fields);
  const header = typeof url === "string" ? DATA_URI.exec(url) : null;
  if (typeof url !== "string" || !header) return Object.fromEntries(fields);
  return { content: Uint8Array.fromBase64(url.slice(header[0].length)), content_type: header[1], ...rest };
}
