// Software drivers that a user asks for, and what a GPU needs.
import type { Engine } from "./engine.ts";
import { errorMessage } from "./errors.ts";
import { useSwiftshader } from "./swiftshader.mjs";

/** The engine; `--adapter swiftshader` sets that driver up if no adapter has the name. */
export function withDriver(engine: Engine): Engine {
  const retried = async <T>(adapter: string | undefined, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error && error.name === "DeviceError" && asksForSwiftshader(adapter)))
        throw error;
      const problem = useSwiftshader();
      if (problem) throw Object.assign(error, { message: problem });
      return call();
    }
  };
  return {
    ...engine,
    loadModel: (source, options) => retried(options?.adapter, () => engine.loadModel(source, options)),
    planModel: (source, options) => retried(options?.adapter, () => engine.planModel(source, options)),
    tuneModel: (source, options) => retried(options?.adapter, () => engine.tuneModel(source, options)),
    quantizeModel: (source, options) => retried(options.adapter, () => engine.quantizeModel(source, options)),
  };
}

function asksForSwiftshader(adapter = process.env["SIROCCO_ADAPTER"] ?? ""): boolean {
  // A user who names drivers gets these and no others, even if they do not work.
  const named = process.env["VK_DRIVER_FILES"] || process.env["VK_ICD_FILENAMES"];
  return /swiftshader/i.test(adapter) && !named;
}

/** What to do for a GPU to be found. */
export async function gpuAdvice(platform: NodeJS.Platform): Promise<string> {
  try {
    await import("webgpu");
  } catch (error) {
    return `The npm package webgpu does not load: ${errorMessage(error)}. Run npm install webgpu.`;
  }
  if (platform === "linux")
    return "Install the Vulkan driver of your GPU: `vulkaninfo --summary` must list the GPU.";
  if (platform === "win32") return "Update the graphics driver: Direct3D 12 is needed.";
  return "Update the system or the graphics driver: a GPU with Metal, Direct3D 12 or Vulkan is needed.";
}
