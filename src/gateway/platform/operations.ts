// All operations of the platform API. A path that is written out comes before one with names in it.
import { meta } from "./account.ts";
import { analytics } from "./analytics.ts";
import { accountBilling } from "./billing.ts";
import { billingEvents } from "./billing-events.ts";
import { createKey, deleteKey, listKeys } from "./keys.ts";
import { listModels } from "./models.ts";
import type { Operation } from "./operation.ts";
import { estimate, pricing } from "./pricing.ts";
import { deletePayloads, requestsByEndpoint } from "./requests.ts";
import { searchRequests } from "./search-requests.ts";
import { fileAcl, listFiles, removeFile, setFileAcl, signFile } from "./storage.ts";
import { setStorageSettings, storageSettings } from "./storage-settings.ts";
import { modelUsage } from "./usage.ts";
import { createWorkflow, listWorkflows, removeWorkflow, showWorkflow } from "./workflows.ts";

export const operations: readonly Operation[] = [
  listModels,
  pricing,
  estimate,
  billingEvents,
  modelUsage,
  analytics,
  requestsByEndpoint,
  searchRequests,
  deletePayloads,
  listFiles,
  removeFile,
  fileAcl,
  setFileAcl,
  signFile,
  storageSettings,
  setStorageSettings,
  listKeys,
  createKey,
  deleteKey,
  listWorkflows,
  createWorkflow,
  showWorkflow,
  removeWorkflow,
  accountBilling,
  meta,
];
