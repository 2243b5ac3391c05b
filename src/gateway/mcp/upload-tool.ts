// The tool that brings a file to this box: from its content, from a URL, or by a URL to send it to.
import type { Upload } from "../../control/storage/upload-content.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type Static, Type } from "../../core/schema.ts";
import { fileUrl, uploadUrl } from "../cdn/urls.ts";
import type { Call } from "../fal/call.ts";
import { type Answer, type ToolParts, tool } from "./tool.ts";

const input = Type.Object({
  file_name: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: "With its ending" })),
  content_type: Type.Optional(Type.String({ maxLength: 200, description: "By default after the name's ending" })),
  data: Type.Optional(Type.String({ description: "The content: base64 or a data URI; for small files" })),
  url: Type.Optional(Type.String({ maxLength: 10_000, description: "http(s) URL to take the file from" })),
  prepare_upload: Type.Boolean({
    default: false,
    description: "true: answers with an upload_url to PUT the content to, without a key; for large files",
  }),
  file_size: Type.Optional(Type.Integer({ minimum: 0, description: "Bytes; not needed" })),
});

export const uploadFile = tool({
  name: "upload_file",
  title: "Upload a file",
  description:
    "Gives a file_url for inputs named *_url. Send data, or a url, or ask with prepare_upload for an upload_url",
  isReading: false,
  input,
  async answer(parts, { call, signal }, given): Promise<Answer> {
    const { data, url, prepare_upload } = given;
    if ([data !== undefined, url !== undefined, prepare_upload].filter(Boolean).length !== 1)
      throw new ForecourtError("invalid_input", "Give exactly one of data, url and prepare_upload: true.");
    if (url !== undefined) return { value: described(await fromUrl(parts, call, { ...given, url, signal }), call) };
    const { content, type } = data === undefined ? { content: undefined, type: undefined } : decoded(data);
    const upload = await parts.uploads.begin({
      key: call.caller.id,
      name: given.file_name ?? "file",
      contentType: given.content_type ?? type ?? typeOfName(given.file_name),
    });
    if (content !== undefined) await parts.uploads.write(upload.secret, once(content));
    else return { value: { ...described(upload, call), upload_url: uploadUrl(upload, call.roots), method: "PUT" } };
    return { value: described(upload, call) };
  },
});

type FromUrl = Static<typeof input> & { url: string; signal: AbortSignal };

/** Only from where inputs may come: public addresses and what the operator allows. */
async function fromUrl({ importFile }: ToolParts, { caller }: Call, { url, signal, ...given }: FromUrl) {
  const name = given.file_name ?? URL.parse(url)?.pathname.split("/").at(-1) ?? "";
  return await importFile({
    key: caller.id,
    url,
    name: name === "" ? "file" : name,
    ...(given.content_type !== undefined && { contentType: given.content_type }),
    signal,
  });
}

const described = (upload: Upload, { roots }: Call) => ({ file_url: fileUrl(upload, roots) });

function decoded(data: string): { content: Uint8Array; type?: string } {
  const [, type, base64 = data] = /^data:([\w.+/-]+)?;base64,(.*)$/s.exec(data) ?? [];
  if (/^[A-Za-z0-9+/_=\s-]*$/.test(base64))
    return { content: Buffer.from(base64, "base64"), ...(type !== undefined && { type }) };
  const problem = { loc: ["arguments", "data"], msg: "Input should be base64 or a data URI", type: "value_error" };
  throw new ForecourtError("invalid_input", "data: Input should be base64 or a data URI", { problems: [problem] });
}

/** By its ending alone: Bun takes no path with a zero byte. */
const typeOfName = (name = "file") => Bun.file(name.replaceAll("\0", "")).type;

async function* once(content: Uint8Array) {
  yield content;
}
