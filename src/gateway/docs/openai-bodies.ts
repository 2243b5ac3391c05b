// What OpenAI's API is asked: each operation with its body, for the document of the whole box.
import { type TObject, Type } from "../../core/schema.ts";
import { speechBody, transcriptionBody, translationBody } from "../openai/audio-body.ts";
import { batchBody } from "../openai/batches/batches.ts";
import { chatBody, completionBody } from "../openai/chat-body.ts";
import { conversationBody } from "../openai/conversations/body.ts";
import { embeddingBody, rerankBody } from "../openai/embedding-body.ts";
import { fileBody } from "../openai/files/files.ts";
import { editBody, editJsonBody, imageBody } from "../openai/image-body.ts";
import { moderationBody } from "../openai/moderation-body.ts";
import { inputTokensBody, responseBody } from "../openai/responses/body.ts";

/** The body is JSON, or multipart/form-data, of which texts and files are parts; either where there are both. */
type Described = { path: string; id: string; summary: string; json?: Json; form?: TObject };
type Json = { body: TObject; example: Record<string, unknown> };

const messages = [{ role: "user", content: "Hello!" }];

export const described: readonly Described[] = [
  {
    path: "/v1/chat/completions",
    id: "OpenAiChatCompletion",
    summary: "Answer a conversation; with `stream`, in chunks",
    json: { body: chatBody, example: { model: "forecourt/demo-llama", messages } },
  },
  {
    path: "/v1/completions",
    id: "OpenAiCompletion",
    summary: "Let a text go on",
    json: { body: completionBody, example: { model: "forecourt/demo-llama", prompt: "Hello" } },
  },
  {
    path: "/v1/responses",
    id: "OpenAiResponse",
    summary: "Answer items of a conversation, or go on from an earlier response; with `stream`, in events",
    json: { body: responseBody, example: { model: "forecourt/demo-llama", input: "Hello!" } },
  },
  {
    path: "/v1/conversations",
    id: "OpenAiConversation",
    summary: "Begin a conversation that is kept, for responses to go on from",
    json: { body: conversationBody, example: { metadata: { topic: "shapes" } } },
  },
  {
    path: "/v1/files",
    id: "OpenAiFile",
    summary: "Send a file of requests for a batch",
    form: Type.Object({
      file: Type.String({ description: "The file: JSON Lines" }),
      ...fileBody.properties,
    }),
  },
  {
    path: "/v1/batches",
    id: "OpenAiBatch",
    summary: "Have the requests of a file carried out within a day, when there is room for them",
    json: {
      body: batchBody,
      example: {
        ...{ input_file_id: "file-ID", endpoint: "/v1/chat/completions", completion_window: "24h" },
      },
    },
  },
  {
    path: "/v1/responses/input_tokens",
    id: "OpenAiInputTokens",
    summary: "Count the tokens that a response would read",
    json: { body: inputTokensBody, example: { model: "forecourt/demo-llama", input: "Hello!" } },
  },
  {
    path: "/v1/images/generations",
    id: "OpenAiImage",
    summary: "Draw pictures; with `stream`, with previews",
    json: {
      body: imageBody,
      example: { model: "forecourt/demo-diffusion", prompt: "a big red circle on a blue ground" },
    },
  },
  {
    path: "/v1/images/edits",
    id: "OpenAiImageEdit",
    summary: "Draw a picture anew, or the parts of it that a mask shows",
    form: editBody,
    json: {
      body: editJsonBody,
      example: {
        ...{ model: "OWNER/EDITOR", prompt: "Make the circle red" },
        images: [{ image_url: "https://example.com/circle.png" }],
      },
    },
  },
  {
    path: "/v1/embeddings",
    id: "OpenAiEmbeddings",
    summary: "Turn texts into embeddings",
    json: {
      body: embeddingBody,
      example: { model: "forecourt/demo-clip/embed", input: ["a red circle", "a blue square"] },
    },
  },
  {
    path: "/v1/rerank",
    id: "OpenAiRerank",
    summary: "Order documents by how well they answer a query",
    json: {
      body: rerankBody,
      example: {
        model: "OWNER/RERANKER",
        query: "What is red?",
        documents: ["The circle is red.", "The sky is blue."],
      },
    },
  },
  {
    path: "/v1/moderations",
    id: "OpenAiModeration",
    summary: "Judge whether texts and pictures are harmful",
    json: { body: moderationBody, example: { input: "I will find you." } },
  },
  {
    path: "/v1/audio/speech",
    id: "OpenAiSpeech",
    summary: "Read a text aloud; the answer is the sound",
    json: { body: speechBody, example: { model: "OWNER/VOICE", input: "Hello!" } },
  },
  {
    path: "/v1/audio/transcriptions",
    id: "OpenAiTranscription",
    summary: "Write down what is said in a recording",
    form: transcriptionBody,
  },
  {
    path: "/v1/audio/translations",
    id: "OpenAiTranslation",
    summary: "Write down in English what is said in a recording",
    form: translationBody,
  },
];
