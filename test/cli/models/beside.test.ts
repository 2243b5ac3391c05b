// The catalogue's Whisper with speakers, whose weights lie in three repositories, as an operator has it: pulled by processes
// of which one is killed, run, verified, carried to a box without a network, removed. Hand-made weights stand for the real.
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { createFakeHub } from "../../support/fake-hub.ts";
import { until } from "../../support/until.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";

afterAll(removeFolders);

/** Processes of their own, on a machine that may be busy. */
const PATIENCE_MS = 240_000;
const ID = "openai/whisper-base/speakers";
const SPEECH = resolve(import.meta.dir, "../../reference/speech");

const read = (path: string) => new Uint8Array(readFileSync(join(SPEECH, path)));
const configs = readdirSync(join(SPEECH, "whisper")).filter((name) => name.endsWith(".json"));
const whisper = {
  ...Object.fromEntries(configs.map((name) => [name, read(`whisper/${name}`)])),
  "onnx/encoder_model.onnx": read("whisper/onnx/encoder_model.onnx"),
  "onnx/decoder_model_merged_q4.onnx": read("whisper/onnx/decoder_model_merged.onnx"),
  "onnx/decoder_model_merged.onnx": new Uint8Array(9),
};
const repos = {
  "onnx-community/whisper-base_timestamped": { files: whisper },
  "onnx-community/pyannote-segmentation-3.0": {
    files: { "onnx/model.onnx": read("diarization/diarization/segmentation.onnx") },
  },
  "onnx-community/wespeaker-voxceleb-resnet34-LM": {
    files: { "onnx/model.onnx": read("diarization/diarization/embedding.onnx") },
  },
};
const truth: { turns: { speaker: string }[] } = JSON.parse(
  readFileSync(join(SPEECH, "diarization/cases.json"), "utf8"),
);

type Heard = { diarization_segments: { timestamp: [number, number]; speaker: string }[] };

test(
  "a model of three repositories from the Hub to a box without a network",
  async () => {
    let isSilent = true;
    await using hub = createFakeHub({
      repos,
      fault: ({ repo }) => (isSilent && repo.includes("wespeaker") ? { type: "hang", after: 1000 } : undefined),
    });
    const [data, other] = [newFolder(), newFolder()];
    const env = { FORECOURT_HUB_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent", FORECOURT_DEVICE: "cpu" };
    const on = (box: string, ...words: string[]) =>
      forecourt([...words, "--data", box], { ...env, ...(box === other && { FORECOURT_HUB_OFFLINE: "1" }) });
    const weights = async (box: string) => JSON.parse((await on(box, "models", "show", ID, "--json")).stdout).weights;
    const hear = async (box: string) => {
      const input = [`audio_url=@${join(SPEECH, "diarization/conversation.flac")}`, "language=en", "diarize=true"];
      const run = await on(box, "run", ID, ...input, "--json", "--port", "1");
      expect(run.exitCode).toBe(0);
      const { output }: { output: Heard } = JSON.parse(run.stdout);
      return output;
    };

    // Killed while the last of the three hangs.
    const main = resolve(import.meta.dir, "../../../src/main.ts");
    const child = Bun.spawn([process.execPath, main, "models", "pull", ID, "--data", data], {
      ...{ env: { ...process.env, ...env }, stdout: "ignore", stderr: "ignore" },
    });
    await until(() => hub.files.some(({ repo }) => repo.includes("wespeaker")), PATIENCE_MS / 2);
    child.kill("SIGKILL");
    await child.exited;
    expect(await weights(data)).toMatchObject({ state: "partial", beside: { segmentation: { state: "complete" } } });
    expect((await on(data, "models", "verify", ID)).exitCode).toBe(1);
    expect((await on(data, "models", "export", join(data, "no.tar"), ID)).stderr).toContain(`models pull ${ID}`);

    isSilent = false;
    const before = hub.files.length;
    const pulled = await on(data, "models", "pull", ID, "--json");
    expect(pulled.exitCode).toBe(0);
    expect(new Set(hub.files.slice(before).map(({ repo }) => repo))).toEqual(
      new Set(["onnx-community/wespeaker-voxceleb-resnet34-LM"]),
    );
    const [{ folder, beside }] = JSON.parse(pulled.stdout);
    expect(Object.keys(beside)).toEqual(["segmentation", "embedding"]);
    expect(existsSync(join(folder, "embedding/onnx/model.onnx"))).toBe(true);
    expect(await weights(data)).toMatchObject({ state: "complete", folder, commit: hub.commit });
    const shown = (await on(data, "models", "show", ID)).stdout;
    expect(shown).toContain("CC-BY-4.0: embedding/");
    expect(shown).toContain(`onnx-community/wespeaker-voxceleb-resnet34-LM, main: ${hub.commit} since`);

    const heard = await hear(data);
    expect(heard.diarization_segments).toHaveLength(truth.turns.length);
    expect(new Set(heard.diarization_segments.map(({ speaker }) => speaker)).size).toBe(2);

    const verified = await on(data, "models", "verify", ID);
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain(`${ID} (embedding): all 1 files are right`);
    expect((await on(data, "models", "check", ID)).stdout).not.toContain("the graph, among the files");

    const bundle = join(data, "models.tar");
    expect((await on(data, "models", "export", bundle, ID)).exitCode).toBe(0);
    const asked = hub.requests.length;
    expect((await on(other, "models", "import", bundle)).exitCode).toBe(0);
    expect(await weights(other)).toMatchObject({ state: "complete", commit: hub.commit });
    expect((await on(other, "models", "verify", ID)).exitCode).toBe(0);
    expect(await hear(other)).toEqual(heard);
    expect(hub.requests.length).toBe(asked);

    // openai/whisper-base has the same Whisper.
    const removed = await on(data, "models", "remove", ID);
    expect(removed.exitCode).toBe(0);
    expect(removed.stderr).toContain(
      "onnx-community/whisper-base_timestamped stays: openai/whisper-base would lose it",
    );
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(join(data, "weights")).filter((name) => name.startsWith("models--"))).toEqual([
      "models--onnx-community--whisper-base_timestamped",
    ]);
    expect((await on(data, "models", "remove", ID)).stderr).toContain("would lose the same weights");
    const forced = await on(data, "models", "remove", ID, "--force");
    expect(forced.stdout).toContain("are free again");
    expect(statSync(bundle).size).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);
