// A Linux machine without a working Vulkan driver gets a software one, where npm has brought it.
import { ADVICE, useSwiftshader } from "../scripts/swiftshader.mjs";
import type { Engine } from "./engine.ts";

/** Sees to it that `listAdapters` finds something, if that can be done. Called before the first use of the GPU. */
export async function ensureDriver({ listAdapters }: Pick<Engine, "listAdapters">): Promise<void> {
  // Named drivers are the user's choice, even where they do not work.
  if (process.platform !== "linux" || process.env["VK_DRIVER_FILES"] || process.env["VK_ICD_FILENAMES"])
    return;
  const adapters = await listAdapters().catch(() => []);
  // What hinders SwiftShader is told by the error for the missing adapter, and by `sirocco info`.
  if (adapters.length === 0) useSwiftshader();
}

/** What to do where there is no adapter. */
export function driverAdvice(platform: NodeJS.Platform): string {
  if (platform === "linux") return ADVICE;
  if (platform === "win32") return "Update the graphics driver: Direct3D 12 is needed.";
  return "Update the system or the graphics driver: a GPU with Metal, Direct3D 12 or Vulkan is needed.";
}
