// A load that fails leaves nothing on the GPU: every broken checkpoint, sources that break off, aborts, a
// lost device.
import { afterAll, describe, expect, test } from "vitest";
import { CheckpointError, DeviceLostError, loadModel, type Source } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { brokenCheckpoints } from "../weights/broken-checkpoints.ts";
import { filesOf, memorySource } from "../weights/memory-source.ts";
import { watchDevice } from "./watch-device.ts";

const family = new URL("../golden/families/two_shards", import.meta.url).pathname;

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
process.on("unhandledRejection", note);
afterAll(() => {
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

// The driver compiles the convert kernel only: nothing here gets as far as a forward pass.
const device = await openTestDevice();
const watch = watchDevice(device);

/** The error that loading rejects with, after everything it created was destroyed. */
async function refusal(source: Source, signal?: AbortSignal, on = device): Promise<unknown> {
  const reason = await loadModel(source, { device: on, ...(signal && { signal }) }).then(
    (model) => model.dispose(),
    (error: unknown) => error,
  );
  expect([...watch.live].map(({ label }) => label)).toEqual([]);
  return reason;
}

/** A source of a whole checkpoint that calls `before` each time it is asked for bytes. */
function watchedSource(before: (read: number, file: string, end: number) => void | Promise<void>): Source {
  const files = filesOf(family);
  const source = memorySource(files);
  let reads = 0;
  return {
    ...source,
    async read(file, start, end, signal) {
      await before(reads++, file, end ?? files[file]!.length);
      return source.read(file, start, end, signal);
    },
  };
}

test.each(brokenCheckpoints)("$name", async ({ files, expect: words }) => {
  const error = await refusal(memorySource(files()));
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(words);
});

test("a weight that is not a number, which would make every answer token 0", async () => {
  const files = filesOf(family);
  const shard = files["model-00002-of-00002.safetensors"]!;
  new DataView(shard.buffer).setUint16(shard.length - 2, 0x7fff, true); // NaN as f16, as bf16, and within f32
  const error = await refusal(memorySource(files));
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(
    /^model-00002.+weight: expected finite numbers, got .+ in row \d+/,
  );
});

describe("a source that breaks off", () => {
  test("at any read: its own error", async () => {
    let total = 0;
    // The null backend is enough to load to the end.
    const nowhere = await openTestDevice(["backend=null"]);
    expect(
      await refusal(
        watchedSource(() => {
          total++;
        }),
        undefined,
        nowhere,
      ),
    ).toBeUndefined();
    expect(total).toBeGreaterThan(20);
    for (let failing = 0; failing < total; failing++) {
      const made = watch.created;
      const broken = new Error(`read ${failing}`);
      const source = watchedSource((read) => {
        if (read === failing) throw broken;
      });
      expect(await refusal(source)).toBe(broken);
      // Tensors are read last: by then there are buffers to clean up.
      if (failing > total - 15) expect(watch.created - made).toBeGreaterThan(20);
    }
  });

  test("truncated at 60 % after its header was read", async () => {
    const file = "model-00002-of-00002.safetensors";
    const short = Math.floor(filesOf(family)[file]!.length * 0.6);
    const made = watch.created;
    const error = await refusal(
      watchedSource((_read, name, end) => {
        if (name === file && end > short)
          throw new CheckpointError(`${name}: expected ${end} bytes, got ${short}.`);
      }),
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(file);
    expect(watch.created - made).toBeGreaterThan(20);
  });

  test("fewer bytes than requested are not accepted as weights", async () => {
    const source = memorySource(filesOf(family));
    const short: Source = {
      ...source,
      async read(file, start, end, signal) {
        const bytes = await source.read(file, start, end, signal);
        return file.endsWith("00002-of-00002.safetensors") && start! > 5000 ? bytes.subarray(0, -2) : bytes;
      },
    };
    const error = await refusal(short);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(
      /model-00002-of-00002\.safetensors: model\.\S+: expected \d+ bytes, got \d+/,
    );
  });
});

describe("an abort", () => {
  test("before and at any time during loading: the signal's reason", async () => {
    const reason = { why: "the user went away" };
    expect(
      await refusal(
        watchedSource(() => {}),
        AbortSignal.abort(reason),
      ),
    ).toBe(reason);
    for (const at of [0, 2, 8, 20]) {
      const controller = new AbortController();
      const source = watchedSource((read) => {
        if (read === at) controller.abort(reason);
      });
      expect(await refusal(source, controller.signal), `at read ${at}`).toBe(reason);
    }
  });

  test("from onProgress", async () => {
    const controller = new AbortController();
    const onProgress = ({ loaded, total }: { loaded: number; total: number }) => {
      if (loaded > total / 2) controller.abort();
    };
    const error = await loadModel(family, { device, onProgress, signal: controller.signal }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBe(controller.signal.reason);
    expect([...watch.live]).toEqual([]);
  });
});

test("a device lost while the source is slow", async () => {
  const error = await refusal(
    watchedSource(async (read) => {
      if (read !== 12) return;
      device.destroy();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }),
  );
  expect(error).toBeInstanceOf(DeviceLostError);
});
