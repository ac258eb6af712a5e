// On Linux without a working Vulkan driver, SwiftShader takes its place if it is installed.

import type { Engine } from "./engine.ts";
import { ADVICE, useSwiftshader } from "./swiftshader.mjs";

/** The engine; a call that finds no adapter is repeated with SwiftShader. */
export function withDriver(engine: Engine): Engine {
  const retried = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error && error.name === "DeviceError" && (await findDriver(engine))))
        throw error;
      return call();
    }
  };
  return {
    loadModel: (source, options) => retried(() => engine.loadModel(source, options)),
    planModel: (source, options) => retried(() => engine.planModel(source, options)),
    tuneModel: (source, options) => retried(() => engine.tuneModel(source, options)),
    quantizeModel: (source, options) => retried(() => engine.quantizeModel(source, options)),
    describeModel: engine.describeModel,
    mergeModel: engine.mergeModel,
    listAdapters: async () => {
      const adapters = await engine.listAdapters();
      return adapters.length === 0 && (await findDriver(engine)) ? engine.listAdapters() : adapters;
    },
  };
}

/** Sets up SwiftShader if there is no adapter. @returns whether it did */
async function findDriver({ listAdapters }: Engine): Promise<boolean> {
  // A user who names drivers gets these and no others, even if they do not work.
  if (process.platform !== "linux" || process.env["VK_DRIVER_FILES"] || process.env["VK_ICD_FILENAMES"]) {
    return false;
  }
  return (await listAdapters()).length === 0 && useSwiftshader() === undefined;
}

/** What to do if there is no adapter. */
export function driverAdvice(platform: NodeJS.Platform): string {
  if (platform === "linux") return ADVICE;
  if (platform === "win32") return "Update the graphics driver: Direct3D 12 is needed.";
  return "Update the system or the graphics driver: a GPU with Metal, Direct3D 12 or Vulkan is needed.";
}
