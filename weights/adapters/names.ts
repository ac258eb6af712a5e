// The files of a LoRA adapter, as PEFT names them.

export const CONFIG_FILE = "adapter_config.json";
export const TENSORS_FILE = "adapter_model.safetensors";
export const adapterFiles: readonly string[] = [CONFIG_FILE, TENSORS_FILE];
