// Loads a model for a command, with a progress bar.

import type { Context } from "./context.ts";
import type { LoadOptions, Model } from "./engine.ts";
import { type LoadingOptions, toLoadOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

/** Runs `use` with the model, then disposes of it. @param more load options of this command alone */
export async function withModel<T>(
  context: Context,
  options: LoadingOptions,
  use: (model: Model) => Promise<T>,
  more: LoadOptions = {},
): Promise<T> {
  const { loadModel } = await context.io.engine();
  const { signal } = context.interrupts;
  const model = await withProgress(context, options, (onProgress) =>
    loadModel(options.model, { ...toLoadOptions(options), ...more, onProgress, signal }),
  );
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}
