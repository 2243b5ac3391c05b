// HEAD is answered as GET is, in every face: routes see a GET, and its answer loses its body on the way out.

const heads = new WeakSet<Request>();

/** In place: the server knows a connection by the very request. */
export function takeAsGet(request: Request): void {
  if (request.method !== "HEAD") return;
  heads.add(request);
  Object.defineProperty(request, "method", { value: "GET" });
}

/** Whether the body of the answer is for nobody. */
export const isHead = (request: Request) => heads.has(request);

/** As the caller named it. */
export const methodOf = (request: Request) => (isHead(request) ? "HEAD" : request.method);

/** Who reads by GET may ask by HEAD. */
export const withHead = (methods: readonly string[]) =>
  methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));

/** Says how long the body would be, unless that is a stream of events, which is ended here. */
export async function withoutBody(response: Response): Promise<Response> {
  const { body, headers, status } = response;
  if (body === null) return response;
  if (headers.get("content-type")?.startsWith("text/event-stream")) await body.cancel();
  else headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  return new Response(null, { status, headers });
}
