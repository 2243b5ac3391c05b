// A DNS server over UDP that answers as a test says, one answer after the other; and a resolver that asks it alone.
import { createSocket } from "node:dgram";
import { promises as dns } from "node:dns";
import type { Resolver } from "../../src/control/storage/pinned-address.ts";

export type NameServer = {
  /** Asks for A and AAAA, as the system does, but this server. */
  resolver: Resolver;
  /** Names that were asked for, once for each question of type A. */
  asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** Addresses of a name, v4 and v6 mixed; `round` counts the earlier questions for it. */
export type Zone = (name: string, round: number) => string[];

const TYPE = { A: 1, AAAA: 28 };
const HEADER = 12;

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const asked: string[] = [];
  const rounds = new Map<string, number>();
  const socket = createSocket("udp4");
  socket.on("message", (message, { port, address }) => {
    const { name, type, question } = readQuestion(message);
    if (type === TYPE.A) asked.push(name);
    const key = `${name} ${type}`;
    const round = rounds.get(key) ?? 0;
    rounds.set(key, round + 1);
    const wanted = zone(name, round).filter((each) => each.includes(":") === (type === TYPE.AAAA));
    socket.send(answer(message, { question, type, addresses: wanted }), port, address);
  });
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  const client = new dns.Resolver();
  client.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    asked,
    async resolver(host) {
      const [four, six] = await Promise.all([client.resolve4(host).catch(none), client.resolve6(host).catch(none)]);
      return [...four.map((address) => ({ address, family: 4 })), ...six.map((address) => ({ address, family: 6 }))];
    },
    [Symbol.asyncDispose]: () => new Promise((closed) => socket.close(() => closed())),
  };
}

const none = (): string[] => [];

function readQuestion(message: Buffer) {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join("."), type: message.readUInt16BE(at + 1), question: message.subarray(HEADER, at + 5) };
}

/** Authoritative, time to live 0: every look is a new question. */
function answer(query: Buffer, { question, type, addresses }: { question: Buffer; type: number; addresses: string[] }) {
  const header = Buffer.from(query.subarray(0, HEADER));
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const data = type === TYPE.A ? Buffer.from(address.split(".").map(Number)) : sixteenBytes(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc000 | HEADER, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.byteLength, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, question, ...records]);
}

function sixteenBytes(address: string): Buffer {
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const words = (part: string) => part.split(":").filter(Boolean);
  const [front, back] = [words(head), words(tail)];
  const middle = Array.from({ length: 8 - front.length - back.length }, () => "0");
  const bytes = Buffer.alloc(16);
  for (const [at, word] of [...front, ...middle, ...back].entries())
    bytes.writeUInt16BE(Number.parseInt(word, 16), at * 2);
  return bytes;
}
