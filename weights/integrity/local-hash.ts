import type { OpenFileHash } from "./file-hash.ts";
import { IncrementalSha256 } from "./incremental-sha256.ts";

/** Hashes on the caller's thread. */
export const openLocalHash: OpenFileHash = async (state, length) => {
  const hash = new IncrementalSha256(state, length);
  return {
    get length() {
      return hash.length;
    },
    update: async (bytes) => hash.update(bytes),
    state: async () => hash.state(),
    digest: async () => hash.digest(),
    close: () => {},
  };
};
