// What an uploader calls a file, made harmless: nothing of it ever becomes a path on disk.

/** Longest name of most file systems, so that a download can be saved under it. */
const LONGEST = 255;
const LONGEST_IN_URL = 100;

export type UploadName = {
  /** For people: the last part of the path as it was given. */
  original: string;
  /** One part of a URL, of letters, digits, `_`, `-` and `.`, not beginning with a dot. */
  inUrl: string;
};

export function uploadName(given: string): UploadName {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? "";
  const original = last
    .replace(/\p{Cc}/gu, "")
    .slice(-LONGEST)
    .toWellFormed();
  const inUrl = original
    .replace(/[^\w.-]+/g, "_")
    .slice(-LONGEST_IN_URL)
    .replace(/^\.+/, "");
  return { original: original || "file", inUrl: inUrl || "file" };
}

/** What a browser would run as a page or script of this box goes out as bytes, and so does what is no media type. */
export function safeContentType(given: string): string {
  const type = given.trim().toLowerCase();
  const isMediaType = /^[\w.+-]+\/[\w.+-]+( *; *[\w.+-]+=("[\w .+-]*"|[\w.+-]+))*$/.test(type) && type.length <= 200;
  const isActive = /^[^;]*(html|xml|javascript|ecmascript|x-shockwave|text\/css|multipart)/.test(type);
  return isMediaType && (!isActive || type.startsWith("image/svg+xml")) ? type : "application/octet-stream";
}
