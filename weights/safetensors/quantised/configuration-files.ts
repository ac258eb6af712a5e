/** Beside config.json: what old AutoGPTQ and AutoAWQ write. They do not name themselves there. */
export const configurationFiles: readonly string[] = ["quantize_config.json", "quant_config.json"];
