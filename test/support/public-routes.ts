// The short list of routes that need no key; the tests of the guard hold all others to one.

/** All that is ever answered without a key. */
export const PUBLIC_ROUTES = [
  "ALL /cdn/*",
  "ALL /files/*",
  "ALL /platform/*",
  "GET /",
  "GET /.well-known/jwks.json",
  "GET /rest/.well-known/jwks.json",
  "GET /api/openapi/queue/openapi.json",
  "GET /llms.txt",
  "GET /health",
  "GET /models",
  "GET /models/*",
  "GET /ready",
  "GET /swagger",
  "GET /swagger/assets/:name",
  "GET /swagger/json",
];
