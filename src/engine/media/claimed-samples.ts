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

/** Whether some table of the file claims more than the file can hold. Tables are found by their types, wherever they are but in the media. */
export function claimsTooMuch(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.indexOf("ftyp") !== 4 && file.indexOf("moov") < 0 && file.indexOf("moof") < 0) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const most = Math.min(bytes.length, MOST_SAMPLES);
  return besidesMedia(view).some(([begin, stop]) =>
    Object.entries(TABLES).some(([type, count]) => {
      for (let at = file.indexOf(type, begin); at >= 0 && at < stop; at = file.indexOf(type, at + 4)) {
        // A box that says to be larger than the file is read to the file's end.
        const end = Math.min(bytes.length, at - 4 + view.getUint32(at - 4));
        if (end >= at + 16 && count({ view, at: at + 8, end }) > most) return true;
      }
      return false;
    }),
  );
}

const MDAT = 0x6d646174;

/** From where to where the boxes of the file are that hold no media: what is like a table among pictures is chance. */
function besidesMedia(view: DataView): [begin: number, stop: number][] {
  const parts: [number, number][] = [];
  const length = view.byteLength;
  for (let at = 0; at + 16 <= length; ) {
    const said = view.getUint32(at);
    const size = said === 1 ? Number(view.getBigUint64(at + 8)) : said === 0 ? length - at : said;
    // Where the boxes end to make sense, all the rest is looked at.
    const stop = size < 8 ? length : Math.min(length, at + size);
    if (view.getUint32(at + 4) !== MDAT) parts.push([at + 4, stop]);
    at = stop;
  }
  return parts;
}
