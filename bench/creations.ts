// Counts the objects that a device creates: decoding a token creates none.

/**
 * Calls that are allowed at load, but not for a token. Command encoders are needed for each, and cost little.
 */
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

/** Calls `onCreate` for every object created on `device`. @returns a function that stops it */
export function watchCreations(device: GPUDevice, onCreate: () => void): () => void {
  for (const name of CREATORS) {
    // The CPU device compiles no shaders.
    const create = device[name]?.bind(device) as ((descriptor: never) => unknown) | undefined;
    if (!create) continue;
    Object.assign(device, {
      [name]: (descriptor: never) => {
        onCreate();
        return create(descriptor);
      },
    });
  }
  return () => {
    // Uncovers the methods of the prototype.
    for (const name of CREATORS) Reflect.deleteProperty(device, name);
  };
}
