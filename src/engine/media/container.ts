// Opens the containers of sound and video: wraps mediabunny's reading, which by itself never ends on some damaged files.
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { claimsTooMuch } from "./claimed-samples.ts";

/** Each read is of an element, a table or a packet: of files that are well there are far fewer. */
const BYTES_PER_READ = 16;
const LEAST_READS = 20_000;

/**
 * Throws for tables that claim more than the file can hold: mediabunny 1.61.0 writes them out. It also turns in a circle where a Matroska file's element leads back to itself, reading all the time: after more
 * reads than the file can have a use for, the next one throws.
 */
export function openContainer(bytes: Uint8Array): Input {
  if (claimsTooMuch(bytes)) throw new Error("its tables claim more than the file can hold");
  const source = new BufferSource(bytes);
  // Not part of its types, but what all of its reading goes through: its event `read` tells of the first time alone, and a
  // CustomSource, which is typed, is asked for what is not in its cache yet.
  const inner = source as unknown as { _read(...range: unknown[]): unknown };
  const read = inner._read.bind(source);
  let left = LEAST_READS + bytes.length / BYTES_PER_READ;
  inner._read = (...range) => {
    if (--left < 0) throw new Error("its parts lead in a circle");
    return read(...range);
  };
  return new Input({ source, formats: ALL_FORMATS });
}
