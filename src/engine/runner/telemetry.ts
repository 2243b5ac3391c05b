// Keeps onnxruntime to itself: since 1.29 its Linux builds report to Microsoft and write a device id into ~/.cache.
// Import this before onnxruntime-node makes its first session, which is when it reads the variable.
import { setNativeEnvironment } from "./libc.ts";

setNativeEnvironment("ORT_DISABLE_TELEMETRY", "1");
