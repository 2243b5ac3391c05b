// v3.fal.media: uploads in fal's three dialects, and their files by URL. Each operation decides itself who may call it.
import { ForecourtError } from "../../core/errors.ts";
import type { OpenFace, Visit } from "../fal/call.ts";
import { requireMethod } from "../require-method.ts";
import { download, sign } from "./download.ts";
import type { CdnParts, Names } from "./parts.ts";
import { beginParts, completeParts, putContent, putPart, uploadAtOnce } from "./upload.ts";

type Operation = {
  path: RegExp;
  methods: string[];
  answer(parts: CdnParts, visit: Visit, names: Names): Response | Promise<Response>;
};

/** Tokens and names as control makes them; anything else leads nowhere. */
const FILE = String.raw`files/b/(?<token>[\w-]{22})/(?<name>[\w.-]{1,100})`;
const OF_UPLOAD = String.raw`uploads/(?<secret>[\w-]{22})`;
const OF_FILE = String.raw`${FILE}/multipart/(?<secret>[\w-]{22})`;
const NUMBER = String.raw`(?<number>\d{1,6})`;

const at = (path: string) => new RegExp(`^${path}$`);

const operations: Operation[] = [
  // JavaScript's dialect, and the Google one that Python falls back to.
  { path: at(OF_UPLOAD), methods: ["PUT"], answer: putContent },
  { path: at(`${OF_UPLOAD}/${NUMBER}`), methods: ["PUT"], answer: putPart },
  { path: at(`${OF_UPLOAD}/complete`), methods: ["POST"], answer: completeParts },
  // Python's dialect.
  { path: at("files/upload"), methods: ["POST"], answer: uploadAtOnce },
  { path: at("files/upload/multipart"), methods: ["POST"], answer: beginParts },
  { path: at(`${OF_FILE}/${NUMBER}`), methods: ["PUT"], answer: putPart },
  { path: at(`${OF_FILE}/complete`), methods: ["POST"], answer: completeParts },

  { path: at(FILE), methods: ["GET"], answer: download },
  { path: at(`${FILE}/sign`), methods: ["POST"], answer: sign },
  { path: at("files/(?<output>.+)"), methods: ["GET"], answer: readOutput },
];

export function createCdn(parts: CdnParts): OpenFace {
  return async (visit) => {
    for (const { path, methods, answer } of operations) {
      const found = path.exec(visit.path);
      if (!found) continue;
      requireMethod(visit.request, methods, `Use ${methods.join(" or ")}.`);
      return await answer(parts, visit, found.groups ?? {});
    }
    throw new ForecourtError("not_found", `Path /${visit.path.slice(0, 200)} not found`);
  };
}

function readOutput({ readOutput }: CdnParts, { request }: Visit, { output = "" }: Names): Promise<Response> {
  return readOutput(request, output);
}
