// The README's samples, run as they stand by who follows it from top to bottom, and what it says there is.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type Ended, ended } from "./cli/command.ts";
import { OPENAI_PYTHON } from "./clients/openai/language-server.ts";
import { FAL_CLIENT_PYTHON } from "./clients/python/python.ts";
import { forecourt, freePort, type LiveServer, startServer } from "./support/live-server.ts";
import { pythonWith } from "./support/python-venv.ts";

const ROOT = resolve(import.meta.dir, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const MINUTES = 60_000;

const home = mkdtempSync(join(tmpdir(), "forecourt-readme-"));
const data = join(home, ".local/share/forecourt");
const binaries = join(home, ".local/bin");

type Sample = { language: string; text: string };
const samples: Sample[] = [...README.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));
const run = new Set<Sample>();

/** The sample with these words; each is looked for once at least, or the last test fails. */
function sample(language: string, words: string): string {
  const [found, another] = samples.filter((each) => each.language === language && each.text.includes(words));
  if (!found || another) throw new Error(`${found ? "several samples have" : "no sample has"} ${words}`);
  run.add(found);
  return found.text;
}

let server: LiveServer;
const ports = { plain: 0, secure: 0 };
/** As the reader has it, but for the ports: he has the box for himself. */
const here = (text: string) =>
  text
    .replaceAll("127.0.0.1:3250", `127.0.0.1:${ports.plain}`)
    .replaceAll("localhost:3250", `localhost:${ports.secure}`);

/** Under `sh`, in the home directory, with `forecourt` in the path. */
async function shell(text: string, env: Record<string, string> = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(FORECOURT_|FAL_|XDG_)/.test(name));
  const child = Bun.spawn(["sh", "-c", here(text)], {
    cwd: home,
    env: {
      ...Object.fromEntries(inherited),
      ...{ HOME: home, PATH: `${binaries}:${process.env.PATH}`, FORECOURT_PORT: String(server.port) },
      ...env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return await ended(child);
}

async function done(text: string): Promise<string> {
  const { exitCode, stdout, stderr } = await shell(text);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

const withKey = (text: string) => `${sample("sh", "export FORECOURT_KEY=")}\n${text}`;

/** A program of the reader's, in a project that has the clients. */
function program(name: string, text: string): string {
  const file = join(home, name);
  writeFileSync(file, here(text));
  return file;
}

beforeAll(async () => {
  mkdirSync(binaries, { recursive: true });
  const words = forecourt.map((word) => `'${word}'`).join(" ");
  writeFileSync(join(binaries, "forecourt"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  symlinkSync(join(ROOT, "node_modules"), join(home, "node_modules"));
  ports.plain = await freePort();
  server = await startServer({ data: mkdirs(data), port: ports.plain });
  // As the installer does.
  writeFileSync(join(data, "client.key"), await done("forecourt keys create --name first-client"));
}, MINUTES);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

const PICTURE = /http:\/\/127\.0\.0\.1:\d+\/files\/\S+?\.png/;

async function expectPicture(text: string): Promise<void> {
  const [url = "no address in the output"] = PICTURE.exec(text) ?? [];
  const answer = await fetch(url);
  expect({ status: answer.status, type: answer.headers.get("content-type") }).toEqual({
    status: 200,
    type: "image/png",
  });
}

describe("samples against a fresh box", () => {
  test("Start: what is called is there; installing has its own tests", () => {
    const text = sample("sh", "npm test");
    const [script = ""] = text.split(" ");
    expect(readFileSync(join(ROOT, script), "utf8")).toStartWith("#!/bin/sh");
    expect(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts.test).toBeString();
  });

  test(
    "fal's JavaScript client",
    async () => {
      const file = program("call.mjs", sample("js", "fal.subscribe("));
      const told = await done(withKey(`'${process.execPath}' ${file}`));
      expect(told).toContain("COMPLETED\n");
      await expectPicture(told);
    },
    MINUTES,
  );

  test(
    "fal's realtime socket",
    async () => {
      const recipe = /^const box.*?^\}\);$/ms.exec(sample("js", "fal.subscribe("))?.[0];
      const file = program(
        "realtime.mjs",
        `import { fal } from "@fal-ai/client";
${recipe}
${sample("js", "globalThis.WebSocket")}
const connection = fal.realtime.connect("forecourt/demo-diffusion", {
  onResult: ({ images }) => (console.log(images[0].content_type), process.exit(0)),
  onError: (error) => (console.log(error), process.exit(1)),
});
connection.send({ prompt: "a big red circle on a blue ground" });`,
      );
      expect(await done(withKey(`'${process.execPath}' ${file}`))).toStartWith("image/");
    },
    MINUTES,
  );

  test(
    "curl, and the command",
    async () => {
      await expectPicture(await done(withKey(sample("sh", "curl http://127.0.0.1:3250/run/forecourt/demo-diffusion"))));
      const file = (await done(sample("sh", "forecourt run forecourt/demo-diffusion"))).trim();
      expect(readFileSync(file).subarray(1, 4).toString()).toBe("PNG");
    },
    MINUTES,
  );

  test(
    "keys, limits, prices and usage",
    async () => {
      expect(await done(sample("sh", "forecourt limits set team"))).toMatch(/^forecourt\/demo-diffusion +\d/m);
    },
    MINUTES,
  );

  test(
    "a language model keeps to a schema",
    async () => {
      const { output } = JSON.parse(await done(withKey(sample("sh", "/run/forecourt/demo-llama"))));
      expect(JSON.parse(output)).toMatchObject({ things: [{ shape: "heart", colour: "yellow" }], ground: "black" });
    },
    MINUTES,
  );

  test(
    "a workflow is stored and called",
    async () => {
      const { workflow } = JSON.parse(await done(withKey(sample("sh", "/platform/v1/workflows"))));
      expect(workflow.endpoint_id).toBe("workflows/first-client/left-half");
      const body = JSON.stringify({ prompt: "a big red circle on a blue ground" });
      const headers = { authorization: `Key ${server.key}`, "content-type": "application/json" };
      const url = `${server.origin}/run/${workflow.endpoint_id}`;
      expect(await (await fetch(url, { method: "POST", headers, body })).json()).toMatchObject({
        image: { width: 64 },
      });
    },
    MINUTES,
  );

  test(
    "MCP's clients take the configuration",
    async () => {
      const config = JSON.parse(here(sample("json", "mcpServers"))).mcpServers.forecourt;
      expect(config).toMatchObject({ type: "http", headers: { Authorization: "Bearer id:secret" } });
      const headers = { authorization: `Bearer ${server.key}` };
      const client = new Client({ name: "test", version: "1.0.0" });
      await client.connect(new StreamableHTTPClientTransport(new URL(config.url), { requestInit: { headers } }));
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain("forecourt_demo-diffusion");
      await client.close();
    },
    MINUTES,
  );

  const openai = pythonWith(OPENAI_PYTHON);
  test.skipIf(!openai)(
    "OpenAI's Python client",
    async () => {
      const file = program("chat.py", sample("python", "from openai"));
      expect(await done(withKey(`${openai}/python ${file}`))).toBe("The opposite of left is right.\n");
    },
    MINUTES,
  );
});

describe("samples that need the Hub get as far as to it", () => {
  /** In this process, as they are where no server runs. */
  const elsewhere = { FORECOURT_DATA: join(home, "without-server"), FORECOURT_PORT: "1" };
  /** Each line is a command of its own, that a reader would see fail by itself. */
  const lines = (words: string) => sample("sh", words).split("\n").filter(Boolean);
  test.each([
    ...lines("models pull stable-diffusion-v1-5"),
    ...lines("models pull facebook/musicgen-small"),
    ...lines("models pull ali-vilab/text-to-video"),
    ...lines("stabilityai/triposr image_url"),
    ...lines("models export").slice(0, 1),
  ])(
    "%s",
    async (line) => {
      for (const file of ["noise.wav", "piano.wav", "boat.jpg", "chair.png", "street.jpg"])
        writeFileSync(join(home, file), "RIFF");
      const { exitCode, stderr } = await shell(line, { FORECOURT_HUB_OFFLINE: "true", ...elsewhere });
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringMatching(/hub\.offline is set|not on this disk/),
      });
    },
    MINUTES,
  );

  test(
    "a bundle that is not there is named",
    async () => {
      const [, line = ""] = lines("models export");
      expect(await shell(line)).toMatchObject({ exitCode: 1, stderr: "forecourt: There is no file models.tar.\n" });
    },
    MINUTES,
  );
});

describe("samples with settings and certificates, after a restart", () => {
  const fal = pythonWith(FAL_CLIENT_PYTHON);

  beforeAll(async () => {
    const told = await done(sample("sh", "forecourt tls init"));
    const folder = join(data, "tls");
    const [lines = ""] = /^ {2}tls:\n( {4}.*\n)+/m.exec(told) ?? [];
    writeFileSync(join(data, "appliance.yaml"), `${sample("yaml", "openai:")}\n${lines.replace(/^ {2}/gm, "")}`);
    await server.kill("SIGTERM");
    ports.secure = await freePort();
    const [cert, key, ca] = ["cert", "key", "ca"].map((name) => join(folder, `${name}.pem`)) as [
      string,
      string,
      string,
    ];
    server = await startServer({ data, port: ports.secure, tls: { cert, key, ca } });
  }, MINUTES);

  test("names of OpenAI's lead to models that there are, but for the one that has to be added", () => {
    const unknown = [...server.output().matchAll(/to (\S+), and there is no such model/g)];
    expect(unknown.map(([, model]) => model)).toEqual(["xenova/toxic-bert"]);
  });

  test.skipIf(!fal)(
    "fal's Python client",
    async () => {
      const file = program("call.py", sample("python", "import fal_client"));
      const settings = sample("sh", "export FAL_KEY=");
      const told = await done(withKey(`${settings}\n${fal}/python ${file}`));
      expect(told).toMatch(/^https:\/\/localhost:\d+\/files\/\S+\.png\n$/);
    },
    MINUTES,
  );
});

describe("what the README names is there", () => {
  test("every sample was run", () => {
    expect(samples.filter((each) => !run.has(each) && each.language !== "python").map(({ text }) => text)).toEqual([]);
  });

  /** First columns of the rows of a heading's table. */
  const rows = (heading: string) => {
    const section = README.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    return [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = ""]) => cell);
  };
  const prose = README.replace(/^```.*?^```/gms, "");
  const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, inner = ""]) => inner);

  const commands = rows("Commands")
    .flatMap(quoted)
    .map((words) => words.replace(/^forecourt /, "").split(/ (?=[A-Z-])| cuda| key=/)[0] ?? "");
  test.each(commands)("forecourt %s", async (words) => {
    expect(await done(`forecourt ${words} --help`)).toContain(`Usage: forecourt ${words} `);
  });

  test("paths of OpenAI's API", async () => {
    const document = await (
      await fetch(`${server.origin}/swagger/json`, { tls: { rejectUnauthorized: false } })
    ).json();
    const paths = rows("OpenAI's API").flatMap(quoted);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !(path in document.paths))).toEqual([]);
  });

  test("settings", () => {
    const settings = Bun.YAML.parse(readFileSync(join(ROOT, "config/appliance.yaml"), "utf8")) as Record<
      string,
      object
    >;
    const groups = Object.keys(settings).filter(
      (name) => typeof settings[name] === "object" && !Array.isArray(settings[name]),
    );
    const named = quoted(prose)
      .map((words) => words.split(":")[0] ?? "")
      .filter((words) => groups.includes(words.split(".")[0] ?? "") && /^\w+\.\w+$/.test(words));
    expect(named.length).toBeGreaterThan(5);
    const ofModels = JSON.parse(readFileSync(join(ROOT, "config/model.schema.json"), "utf8")).properties;
    const isThere = (name: string) => {
      const [group = "", part = ""] = name.split(".");
      return part in (settings[group] ?? {}) || part in (ofModels[group]?.properties ?? {});
    };
    expect(isThere("limits.nothing")).toBe(false);
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });
});
