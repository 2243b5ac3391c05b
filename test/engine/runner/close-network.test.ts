// A runner has no network: neither its JavaScript nor its native threads nor its children.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";

const MODULE = join(import.meta.dir, "../../../src/engine/runner/close-network.ts");
let listener: Bun.TCPSocketListener<undefined>;
let visits = 0;
beforeAll(() => {
  const socket = { open: () => void visits++, data() {} };
  listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
});
afterAll(() => listener.stop(true));

/** Runs lines in a process of their own, whose arguments are the module and a port where somebody listens. */
async function runElsewhere(lines: string): Promise<{ out: string; error: string }> {
  const { stdout, stderr } = Bun.spawn([process.execPath, "-e", lines], {
    env: { ...process.env, MODULE, PORT: String(listener.port) },
    stderr: "pipe",
  });
  const [out, error] = await Promise.all([new Response(stdout).text(), new Response(stderr).text()]);
  return { out: out.trim(), error };
}

const connect = `
  const tell = (text) => console.log(text);
  const connect = (hostname) => Bun.connect({ hostname, port: Number(process.env.PORT), socket: { data() {}, open(socket) { tell("connected"); socket.end(); }, connectError() {} } })
    .catch(() => tell("refused"));
`;

test("without it a process connects, with it every connection is refused, also those of its children", async () => {
  expect((await runElsewhere(`${connect} await connect("127.0.0.1");`)).out).toBe("connected");
  expect(visits).toBe(1);
  const closed = await runElsewhere(`
    ${connect}
    const { closeNetwork } = await import(process.env.MODULE);
    tell(closeNetwork() ?? "closed");
    await connect("127.0.0.1");
    await fetch("http://127.0.0.1:" + process.env.PORT).then(() => tell("fetched"), () => tell("not fetched"));
    const child = Bun.spawnSync(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/" + process.env.PORT]);
    tell("child " + (child.exitCode === 0 ? "connected" : "refused"));
  `);
  expect(closed).toEqual({ out: "closed\nrefused\nnot fetched\nchild refused", error: "" });
  expect(visits).toBe(1);
});

test("local sockets, pipes and files go on working", async () => {
  const { out } = await runElsewhere(`
    const { closeNetwork } = await import(process.env.MODULE);
    closeNetwork();
    const path = require("node:os").tmpdir() + "/forecourt-" + process.pid + ".sock";
    const server = Bun.listen({ unix: path, socket: { data() {}, open(socket) { socket.end("hello"); } } });
    Bun.connect({ unix: path, socket: { data(socket, text) { console.log(String(text)); server.stop(true); } } });
  `);
  expect(out).toBe("hello");
});
