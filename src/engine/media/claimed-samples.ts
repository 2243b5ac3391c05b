// How many samples the tables of an MP4 file claim: in a few bytes they may claim billions, which a parser would write out one by one.

/** Each sample takes a byte of the file at least, and four hours of sound in packets are a twentieth of this. */
const MOST_SAMPLES = 20_000_000;

type Table = { view: DataView /** Behind the box's type, version and flags. */; at: number; end: number };

/** Of the tables' boxes (ISO/IEC 14496-12, sections 8.6 to 8.8): numbers of samples. */
const TABLES: Record<string, (table: Table) => number> = {
  stts: runs,
  ctts: runs,
  stsz: ({ view, at }) => view.getUint32(at + 4),
  trun: ({ view, at }) => view.getUint32(at),
  // First chunk, samples in each, description.
  stsc: (table) => sum(table, { every: 12, from: 4 }),
};

function runs(table: Table): number {
  return sum(table, { every: 8, from: 0 });
}

function sum({ view, at, end }: Table, { every, from }: { every: number; from: number }): number {
  const entries = Math.min(view.getUint32(at), Math.floor((end - at - 4) / every));
  let samples = 0;
  for (let i = 0; i < entries; i++) samples += view.getUint32(at + 4 + i * every + from);
  return samples;
}

/** Whether some table of the file claims more than the file can hold. Tables are found by their types, wherever they are. */
export function claimsTooMuch(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.indexOf("ftyp") !== 4 && file.indexOf("moov") < 0 && file.indexOf("moof") < 0) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const most = Math.min(bytes.length, MOST_SAMPLES);
  return Object.entries(TABLES).some(([type, count]) => {
    for (let found = file.indexOf(type, 4); found >= 0; found = file.indexOf(type, found + 4)) {
      const end = found - 4 + view.getUint32(found - 4);
      // What lies in the pictures by chance has hardly a size that fits.
      if (end < found + 16 || end > bytes.length) continue;
      if (count({ view, at: found + 8, end }) > most) return true;
    }
    return false;
  });
}
