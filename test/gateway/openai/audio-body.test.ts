// What a recording's model is asked, of the fields that OpenAI's clients send: a form's, each of which may come more than once.
import { expect, test } from "bun:test";
import { listeningInput, readTranscriptionBody } from "../../../src/gateway/openai/audio-body.ts";

const file = new File(["sound"], "a.wav", { type: "audio/wav" });
const asked = async (more: Record<string, string | string[]>) =>
  listeningInput(await readTranscriptionBody({ file, model: "test/transcribe", ...more }), "transcribe");

test("keywords follow the prompt", async () => {
  expect((await asked({})).prompt).toBe("");
  expect((await asked({ keywords: "circle" })).prompt).toBe("circle");
  expect((await asked({ prompt: "Shapes.", keywords: ["circle", "star"] })).prompt).toBe("Shapes. circle, star");
});

test("one of languages is the language; of several it is found out, unless it is said", async () => {
  expect(await asked({ languages: "de" })).toMatchObject({ language: "de" });
  expect(await asked({ languages: ["de", "fr"] })).not.toHaveProperty("language");
  expect(await asked({ languages: ["de", "fr"], language: "fr" })).toMatchObject({ language: "fr" });
});
