// Counts what a device is asked to make: a decoded token makes nothing.

/** What may be made at load, but not for a token. Command encoders are needed for each, and cost little. */
const CREATORS = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createPipelineLayout",
  "createShaderModule",
  "createComputePipeline",
  "createComputePipelineAsync",
  "createQuerySet",
] as const;

/** Calls `onCreate` for everything made on `device` from now on. @returns stops it */
export function watchCreations(device: GPUDevice, onCreate: () => void): () => void {
  for (const name of CREATORS) {
    const create = device[name].bind(device) as (descriptor: never) => unknown;
    Object.assign(device, {
      [name]: (descriptor: never) => {
        onCreate();
        return create(descriptor);
      },
    });
  }
  return () => {
    // What is left is the prototype's own.
    for (const name of CREATORS) Reflect.deleteProperty(device, name);
  };
}
