// All tools that are no model's own; their names and inputs are those of fal's own server.
import { getModelSchema, getPricing, recommendModel, searchDocs, searchModels } from "./catalogue-tools.ts";
import { cancelJob, checkJob, getJobResult, runModel, submitJob } from "./job-tools.ts";
import type { Tool } from "./tool.ts";
import { uploadFile } from "./upload-tool.ts";

export const tools: readonly Tool[] = [
  searchModels,
  getModelSchema,
  getPricing,
  recommendModel,
  searchDocs,
  runModel,
  submitJob,
  checkJob,
  getJobResult,
  cancelJob,
  uploadFile,
];
