// What is said of an adapter, however little it tells.
import { expect, test } from "vitest";
import { borrowDevice, describe } from "../../engine/gpu/gpu.ts";

const device = {
  features: new Set(),
  limits: {},
  lost: new Promise(() => {}),
  addEventListener() {},
} as unknown as GPUDevice;
const nameOf = (info: Partial<GPUAdapterInfo>) => describe(info, device).name;

test("an adapter is named by its device, its description, or its maker", () => {
  const info = { device: "NVIDIA A100--", description: "a driver", vendor: "nvidia", architecture: "ampere" };
  expect(nameOf(info)).toBe("NVIDIA A100");
  expect(nameOf({ ...info, device: "" })).toBe("a driver");
  expect(nameOf({ ...info, device: "", description: "" })).toBe("nvidia ampere");
  // Deno gives numbers, Firefox nothing.
  expect(nameOf({ device: "0", description: "llvmpipe (LLVM 15)", vendor: "65541" })).toBe(
    "llvmpipe (LLVM 15)",
  );
  expect(nameOf({ device: "", description: "", vendor: "", architecture: "" })).toBe("unnamed GPU");
});

test("a caller's device without adapterInfo, as in Safari 26.0, has no name", () => {
  expect(borrowDevice(device).adapter).toMatchObject({ name: "unnamed GPU", software: false });
});
