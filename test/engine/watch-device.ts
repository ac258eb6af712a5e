// A device whose buffers are counted, and which can be made to refuse one.
import { watchCreations } from "../../bench/creations.ts";

export interface Watch {
  /** Buffers that were created and not destroyed. */
  readonly live: ReadonlySet<GPUBuffer>;
  /** Things created so far, buffers among them. */
  created: number;
  /** Counts down with every buffer; the one that makes it 0 is larger than any device allows. */
  refuseIn: number;
}

/** Watches what is created on `device` from now on. */
export function watchDevice(device: GPUDevice): Watch {
  const live = new Set<GPUBuffer>();
  const watch: Watch = { live, created: 0, refuseIn: Infinity };
  watchCreations(device, () => {
    watch.created++;
  });
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const size = --watch.refuseIn === 0 ? 2 ** 50 : descriptor.size;
    const buffer = create({ ...descriptor, size });
    const destroy = buffer.destroy.bind(buffer);
    live.add(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  return watch;
}
