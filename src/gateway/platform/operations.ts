// All operations of the platform API. A path that is written out comes before one with names in it.
import { meta } from "./account.ts";
import { analytics } from "./analytics.ts";
import { billingEvents } from "./billing-events.ts";
import { createKey, deleteKey, listKeys } from "./keys.ts";
import { listModels } from "./models.ts";
import type { Operation } from "./operation.ts";
import { estimate, pricing } from "./pricing.ts";
import { deletePayloads, requestsByEndpoint } from "./requests.ts";
import { fileAcl, setFileAcl, signFile } from "./storage.ts";
import { createWorkflow, listWorkflows, removeWorkflow, showWorkflow } from "./workflows.ts";

export const operations: readonly Operation[] = [
  listModels,
  pricing,
  estimate,
  billingEvents,
  analytics,
  requestsByEndpoint,
  deletePayloads,
  fileAcl,
  setFileAcl,
  signFile,
  listKeys,
  createKey,
  deleteKey,
  listWorkflows,
  createWorkflow,
  showWorkflow,
  removeWorkflow,
  meta,
];
