// The documentation page in a real browser with the network cut: it lists the models and runs one of them.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startServer } from "../support/live-server.ts";

const CHROMIUM = process.env.FORECOURT_CHROMIUM ?? "/usr/bin/chromium";
const hasBrowser = existsSync(CHROMIUM);
/** A folder to leave screenshots in, for people. */
const SCREENSHOTS = process.env.FORECOURT_SCREENSHOTS;

const launch = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

test.skipIf(!hasBrowser)(
  "the Swagger page works offline: it lists the models, and Try it out makes a picture",
  async () => {
    await using server = await startServer();
    await using browser = await launch();
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    const outside: string[] = [];
    const problems: string[] = [];
    await page.route("**/*", (route) => {
      if (new URL(route.request().url()).origin === server.origin) return route.continue();
      outside.push(route.request().url());
      return route.abort();
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));

    await page.goto(`${server.origin}/swagger`);
    const section = (name: string) => page.locator(`.opblock-tag[data-tag="${name}"]`);
    for (const name of ["forecourt/demo-diffusion", "forecourt/demo-clip"]) await section(name).click();
    const operation = page.locator(".opblock", { hasText: "/run/forecourt/demo-diffusion" }).first();
    await operation.waitFor();
    expect(await page.locator(".opblock").filter({ hasText: "/run/forecourt/demo-clip" }).count()).toBeGreaterThan(0);

    await page.locator(".btn.authorize").first().click();
    await page.locator(".auth-container input").first().fill(`Key ${server.key}`);
    await page.locator(".auth-btn-wrapper .authorize").first().click();
    await page.locator(".btn-done").first().click();

    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".try-out__btn").click();
    await operation
      .getByRole("textbox", { name: "Request body" })
      .fill(JSON.stringify({ prompt: "a big red circle on a blue ground", seed: 7 }));
    await operation.locator(".execute").click();
    const answer = operation.locator(".live-responses-table");
    await answer.waitFor({ timeout: 60_000 });
    if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/swagger.png` });
    await answer.getByRole("img", { name: "Picture of the answer" }).waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction(() => getComputedStyle(document.documentElement).backgroundColor !== "rgba(0, 0, 0, 0)");
    expect((await answer.locator(".response-col_status").last().textContent())?.trim()).toStartWith("200");

    const [url] = ((await answer.textContent()) ?? "").match(/http:\/\/[^"\s]+\/files\/[^"\s]+/) ?? [];
    const picture = await fetch(url ?? "no url in the answer");
    expect(picture.status).toBe(200);
    expect(picture.headers.get("content-type")).toStartWith("image/");
    expect({ outside, problems }).toEqual({ outside: [], problems: [] });
  },
  { timeout: 120_000 },
);

const triposr = `
id: test/triposr
title: Tiny TripoSR
description: Random weights.
category: image-to-3d
licence: { id: MIT, commercial: true }
pipeline: image-to-3d
source: { path: ${join(import.meta.dir, "../reference/vision/triposr/whole")} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: request, amount: 0, currency: USD }
`;

test.skipIf(!hasBrowser)(
  "what no page shows by itself, as a 3D model, is there to be downloaded below the answer",
  async () => {
    const data = await mkdtemp(join(tmpdir(), "forecourt-swagger-"));
    await mkdir(join(data, "models"));
    await writeFile(join(data, "models", "triposr.yaml"), triposr);
    await using server = await startServer({ data });
    await using browser = await launch();
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    await page.goto(`${server.origin}/swagger`);
    await page.locator('.opblock-tag[data-tag="test/triposr"]').click();
    await page.locator(".btn.authorize").first().click();
    await page.locator(".auth-container input").first().fill(server.key);
    await page.locator(".auth-btn-wrapper .authorize").first().click();
    await page.locator(".btn-done").first().click();
    const operation = page.locator(".opblock", { hasText: "/run/test/triposr" }).first();
    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".try-out__btn").click();
    const picture = await Bun.file(join(import.meta.dir, "../reference/vision/triposr/picture.png")).bytes();
    const image_url = `data:image/png;base64,${picture.toBase64()}`;
    await operation
      .getByRole("textbox", { name: "Request body" })
      .fill(JSON.stringify({ image_url, mc_resolution: 32 }));
    await operation.locator(".execute").click();
    const link = operation.locator(".live-responses-table").getByRole("link", { name: "Download mesh.glb" });
    await link.waitFor({ timeout: 60_000 });
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    expect(download.suggestedFilename()).toBe("mesh.glb");
    expect(new TextDecoder().decode((await Bun.file(await download.path()).bytes()).subarray(0, 4))).toBe("glTF");
    await rm(data, { recursive: true, force: true });
  },
  { timeout: 120_000 },
);

test.skipIf(!hasBrowser)(
  "on a telephone what is filtered by and a key have the whole width to be written in",
  async () => {
    await using server = await startServer();
    await using browser = await launch();
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(`${server.origin}/swagger`);
    const widthOf = async (selector: string) => (await page.locator(selector).first().boundingBox())?.width ?? 0;
    await page.locator(".opblock-tag").first().waitFor();
    expect(await widthOf(".operation-filter-input")).toBeGreaterThan(300);
    await page.locator(".btn.authorize").first().click();
    expect(await widthOf(".auth-container input")).toBeGreaterThan(250);
  },
  { timeout: 120_000 },
);
