// One model explained for language models, as Markdown: what it takes, what it gives, how to call it.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { TObject, TSchema } from "../../core/schema.ts";
import type { Roots } from "../fal/call.ts";
import { priceText } from "./model-operations.ts";

export function llmsText({ model, input, output, frame }: CatalogEntry, endpoint: string, { origin }: Roots): string {
  const example = JSON.stringify(model.examples[0] ?? {}, null, 2);
  return `# ${model.title}

> ${model.description}

## Overview

- **Endpoint**: \`${origin}/run/${endpoint}\`
- **Model ID**: \`${endpoint}\`
- **Category**: ${model.category}
- **Tags**: ${model.tags.join(", ") || "none"}
- **Licence**: ${model.licence.id}${model.licence.commercial ? "" : " (no commercial use)"}

## Pricing

${priceText(model)}

## Input Schema

${fieldList(input)}

## Output Schema

${fieldList(output)}

## Usage

### cURL

\`\`\`bash
curl ${origin}/run/${endpoint} \\
  -H "Authorization: Key $FAL_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify(model.examples[0] ?? {}).replaceAll("'", "'\\''")}'
\`\`\`

### JavaScript

\`\`\`js
import { fal } from "@fal-ai/client";

fal.config({ credentials: process.env.FAL_KEY, proxyUrl: { url: "${origin}/fal/proxy", when: "always" } });
const { data } = await fal.subscribe("${endpoint}", { input: ${example} });
\`\`\`

${frame ? realtimeText(frame, `${origin.replace(/^http/, "ws")}/run/${endpoint}/realtime`) : ""}## Additional Resources

- OpenAPI: ${origin}/models/${endpoint}/openapi.json
- Try it out: ${origin}/swagger
`;
}

/** All models, each with its page. */
export const llmsIndex = (entries: readonly CatalogEntry[], { origin }: Pick<Roots, "origin">) =>
  `# Models of this box

> Each is called as fal's are: at ${origin}/run/<id> at once, at ${origin}/queue/<id> through the queue, with a key.

${entries.map(({ model }) => `- [${model.id}](${origin}/models/${model.id}/llms.txt): ${model.title}, ${model.category}`).join("\n")}
`;

const realtimeText = (frame: TObject, url: string) => `## Realtime

A WebSocket at \`${url}\`: each message, MessagePack or JSON text, is an input and is answered by a result.

${fieldList(frame)}

`;

function fieldList({ properties, required = [] }: TObject): string {
  const fields = Object.entries(properties).map(([name, schema]) => field(name, schema, required.includes(name)));
  return fields.join("\n");
}

function field(name: string, schema: TSchema, isRequired: boolean): string {
  const facts = [
    ["Default", schema.default === undefined ? undefined : JSON.stringify(schema.default)],
    ["Range", rangeOf(schema)],
    ["Options", Array.isArray(schema.enum) ? schema.enum.map((each) => JSON.stringify(each)).join(", ") : undefined],
  ].flatMap(([fact, text]) => (text === undefined ? [] : [`  - ${fact}: \`${text}\``]));
  const kind = `${typeText(schema)}, ${isRequired ? "required" : "optional"}`;
  return [`- **\`${name}\`** (${kind}): ${schema.description ?? ""}`.trimEnd(), ...facts].join("\n");
}

function rangeOf({ minimum, maximum }: TSchema): string | undefined {
  if (minimum === undefined && maximum === undefined) return undefined;
  return `${minimum ?? "-infinity"} to ${maximum ?? "infinity"}`;
}

function typeText(schema: TSchema): string {
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(typeText).join(" or ");
  if (schema.type === "array") return `list of ${typeText(schema.items)}`;
  return typeof schema.type === "string" ? schema.type : "any";
}
