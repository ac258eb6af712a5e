// The CPU device keeps WebGPU's rules: order, zeroed buffers, error scopes, loss.
import { totalmem } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { describeCpu } from "../../../engine/cpu/adapter.ts";
import { cpuDevice } from "../../../engine/cpu/device.ts";
import { machineBytes } from "../../../engine/cpu/node-memory.ts";
import { openCpu, openOwnThread } from "../../../engine/cpu/open.ts";
import { ownThread, type Port } from "../../../engine/cpu/threads.ts";
import { DeviceError } from "../../../engine/errors.ts";
import { encode, launch, Pipelines, readBuffer, usage } from "../../../engine/gpu/dispatch.ts";
import { Gpu } from "../../../engine/gpu/gpu.ts";
import { copy, type Kernel } from "../../../kernels/index.ts";
import { expectNoUnhandledRejections } from "../../helpers.ts";

expectNoUnhandledRejections();
afterEach(() => vi.restoreAllMocks());

const all = usage.storage | usage.copySrc | usage.copyDst;

/** Adds 1 to T words; only its reference can. */
const increment: Kernel<{ T: number }> = {
  name: "increment",
  source: [],
  testSizes: [],
  bindings: ({ T }) => [{ name: "x", type: "u32", length: T, writes: true }],
  constants: () => ({}),
  workgroups: () => [1],
  reference({ T }, x) {
    for (let i = 0; i < T; i++) x![i]! += 1;
  },
};

const words = async (device: GPUDevice, buffer: GPUBuffer) => [
  ...new Uint32Array(await readBuffer(device, buffer)),
];

test("a kernel without an operation runs through its reference, in order with writes and copies", async () => {
  const device = await openOwnThread();
  const [x, copy] = [
    device.createBuffer({ size: 12, usage: all }),
    device.createBuffer({ size: 12, usage: all }),
  ];
  const dispatch = await Pipelines.of(device).prepare(launch(increment, { T: 3 }, x));
  const run = (T?: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [dispatch, dispatch], T);
    pass.end();
    encoder.copyBufferToBuffer(x, 0, copy, 0, 12);
    device.queue.submit([encoder.finish()]);
  };
  device.queue.writeBuffer(x, 0, Uint32Array.of(10, 20, 30));
  run();
  device.queue.writeBuffer(x, 4, Uint32Array.of(0, 7, 9), 1, 1);
  run(2);
  device.queue.writeBuffer(x, 0, new Uint32Array(3));
  expect(await words(device, copy)).toEqual([14, 9, 32]);
  expect(await words(device, x)).toEqual([0, 0, 0]);
});

test("a launch is forgotten with its buffers; other launches stay", async () => {
  const device = await openOwnThread();
  const buffer = () => device.createBuffer({ size: 16, usage: all });
  const [x, kept, lost] = [buffer(), buffer(), buffer()];
  const pipelines = Pipelines.of(device);
  const [keeps, loses] = await Promise.all(
    [kept, lost].map((out) => pipelines.prepare(launch(copy, { words: 4 }, x, out))),
  );
  const run = async (dispatch: typeof keeps) => {
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [dispatch!]);
    pass.end();
    device.queue.submit([encoder.finish()]);
    return (await device.popErrorScope())?.message;
  };
  device.queue.writeBuffer(x, 0, Uint32Array.of(1, 2, 3, 4));
  lost.destroy();
  expect(await run(keeps)).toBeUndefined();
  expect(await words(device, kept)).toEqual([1, 2, 3, 4]);
  expect(await run(loses)).toBe("A launch: expected its buffers, but one was destroyed.");
  device.destroy();
});

/** Its reference fails. */
const broken: Kernel<{ T: number }> = {
  ...increment,
  reference() {
    throw new Error("no such sum");
  },
};

test("a reference that fails is an error of its scope, and what comes after it goes on", async () => {
  const device = await openOwnThread();
  const x = device.createBuffer({ size: 4, usage: all });
  const dispatches = await Promise.all(
    [broken, increment].map((kernel) => Pipelines.of(device).prepare(launch(kernel, { T: 1 }, x))),
  );
  const run = () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, dispatches);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  device.pushErrorScope("validation");
  run();
  expect((await device.popErrorScope())?.message).toBe("no such sum");
  expect(await words(device, x)).toEqual([1]);
  // Lost while a reference waits for its buffers: rejected where it is awaited, and nowhere else.
  run();
  const waiting = device.queue.onSubmittedWorkDone();
  device.destroy();
  await expect(waiting).rejects.toThrow("destroyed");
});

test("a new buffer is zero, also in the place of an old one", async () => {
  const device = await openOwnThread();
  const old = device.createBuffer({ size: 256, usage: all });
  device.queue.writeBuffer(old, 0, new Uint32Array(64).fill(5));
  old.destroy();
  const made = device.createBuffer({ size: 128, usage: all });
  expect((await words(device, made)).every((word) => word === 0)).toBe(true);
});

test("a buffer that is too large is an error of its scope", async () => {
  const device = await openOwnThread();
  device.pushErrorScope("validation");
  device.createBuffer({ label: "huge", size: 2 ** 32, usage: all });
  expect((await device.popErrorScope())?.message).toMatch(/buffer "huge": expected at most \d+ bytes/);
  device.pushErrorScope("validation");
  expect(await device.popErrorScope()).toBeNull();
});

test("scopes that are closed without waiting get their own errors", async () => {
  const device = await openOwnThread();
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  device.createBuffer({ label: "huge", size: 2 ** 32, usage: all });
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  expect(errors.map((error) => error?.constructor.name)).toEqual([undefined, "GPUValidationError"]);
});

test("a memory that does not grow is out of memory, and named so", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2048, shared: true });
  const threads = { ...ownThread(() => ({}) as never), sharesMemory: false };
  const device = cpuDevice({
    ...threads,
    // A heap that ends at 128 MiB.
    toAll: (command) => threads.toAll(command.type === "heap" ? { ...command, memory } : command),
  });
  device.pushErrorScope("out-of-memory");
  device.createBuffer({ size: 2 ** 30, usage: all });
  const error = await device.popErrorScope();
  expect(error?.constructor.name).toBe("GPUOutOfMemoryError");
  expect(error?.message).toMatch(/^expected more memory, got ".+"\.$/);
});

test("no memory to share is out of memory, of the buffer that needs it", async () => {
  const threads = { ...ownThread(() => ({}) as never), sharesMemory: true };
  const gpu = new Gpu(cpuDevice(threads), describeCpu(2), { owned: true });
  vi.spyOn(WebAssembly, "Memory").mockImplementation(() => {
    throw new RangeError("could not allocate memory");
  });
  await expect(
    gpu.scoped(() => gpu.device.createBuffer({ label: "x", size: 64, usage: all })),
  ).rejects.toMatchObject({
    code: "out-of-memory",
    message: expect.stringMatching(
      /: buffer "x": expected room for 64 bytes, got none\. Load a smaller weight format/,
    ),
  });
});

test("more than the machine's memory is out of memory, before it is taken; what is freed counts again", async () => {
  const gpu = new Gpu(
    cpuDevice(
      ownThread(() => ({}) as never),
      1000,
    ),
    describeCpu(1),
    { owned: true },
  );
  const make = (size: number) => gpu.scoped(() => gpu.device.createBuffer({ label: "x", size, usage: all }));
  const first = await make(600);
  await expect(make(500)).rejects.toMatchObject({
    code: "out-of-memory",
    message: expect.stringMatching(
      /"x": expected room for 500 bytes, got 400, all that is left of this machine/,
    ),
  });
  first.destroy();
  await make(1000);
});

test("the machine's memory is that of the system, or less", () => {
  expect(machineBytes()).toBeGreaterThan(2 ** 27);
  expect(machineBytes()).toBeLessThanOrEqual(totalmem());
});

test("without WebAssembly loading is an error that says so, and no thread stays", async () => {
  vi.spyOn(WebAssembly, "compile").mockRejectedValue(new WebAssembly.CompileError("blocked by policy"));
  const ended: number[] = [];
  const port = (index: number): Port => ({
    ...{ post() {}, listen() {}, await() {} },
    end: () => ended.push(index),
  });
  const error = await openCpu([0, 1].map(port)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).toMatchObject({
    code: "kernel-refused",
    message: expect.stringContaining("blocked by policy"),
  });
  expect(ended).toEqual([0, 1]);
});

test("what waits when the device is destroyed is rejected, and so is what comes later", async () => {
  const device = await openOwnThread();
  const waiting = device.queue.onSubmittedWorkDone();
  device.destroy();
  await expect(waiting).rejects.toThrow("destroyed");
  await expect(device.queue.onSubmittedWorkDone()).rejects.toThrow("destroyed");
  expect(await device.lost).toMatchObject({ reason: "destroyed" });
});
