// The matrix-vector kernels give a token the same bits alone and in a block, whatever the other tokens are.
import { describe, expect, test } from "vitest";
import { encode, Pipelines, readBuffer, usage } from "../../engine/gpu/dispatch.ts";
import {
  type Buffer,
  type Kernel,
  type MatvecSize,
  type MatvecVariant,
  matvec,
  matvecVariants,
  padded,
  weightFormats,
} from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { randomBuffer, randomU32 } from "../random.ts";

const device = await openTestDevice();
const T = 8;
const { f32, f16, bf16, q8, q4, q4a } = weightFormats;
const variants = Object.keys(matvecVariants) as MatvecVariant[];

const cases: [
  label: string,
  kernel: Kernel<MatvecSize>,
  size: MatvecSize,
  blockSizes: NonNullable<MatvecSize["tokensPerBlock"]>[],
][] = [
  ...variants.map((variant): (typeof cases)[number] => [
    `q4 ${variant} of normed rows, K 4096`,
    matvec(q4, variant, "norm"),
    { T, N: 7, K: 4096, add: true },
    // Software drivers take seconds to compile eight tokens around barriers.
    matvecVariants[variant].team === "workgroup" ? [8] : [2, 8],
  ]),
  ["q4a stream, K 1124", matvec(q4a, "stream"), { T, N: 7, K: 1124 }, [2]],
  ...(["lane", "lane_wide"] as const).flatMap((variant) =>
    [f32, f16, bf16, q8, q4a].map((format): (typeof cases)[number] => [
      `${format.name} ${variant}, K 100`,
      matvec(format, variant),
      { T, N: 5, K: 100 },
      [8],
    ]),
  ),
];

describe.each(cases.filter(([, kernel]) => runsHere(kernel)))("%s", (_, kernel, size, blocks) => {
  test("the same bits alone, in blocks, and beside other rows", async () => {
    const alone = await run(kernel, { ...size, tokensPerBlock: 1 });
    expect(alone.some((word) => word !== 0)).toBe(true);
    for (const tokensPerBlock of blocks) {
      expect(
        differing(await run(kernel, { ...size, tokensPerBlock }), alone),
        `${tokensPerBlock} tokens per block`,
      ).toBe(-1);
    }
    const kept = 2;
    const width = padded(size.N);
    const beside = await run(kernel, { ...size, tokensPerBlock: 8 }, kept);
    const row = (words: Uint32Array, t: number) => words.subarray(t * width, t * width + size.N);
    expect(differing(row(beside, kept), row(alone, kept)), "beside other rows").toBe(-1);
    expect(differing(row(beside, 1), row(alone, 1)), "the others have changed").toBeGreaterThanOrEqual(0);
  });
});

/** The bits that a launch writes. `kept`: every other row of the input is changed. */
async function run(kernel: Kernel<MatvecSize>, size: MatvecSize, kept?: number): Promise<Uint32Array> {
  const bindings = kernel.bindings(size);
  const buffers = bindings.map((binding, i) => {
    const contents = kernel.fill?.(size, binding.name, randomU32(i + 1)) ?? randomBuffer(binding, i + 1);
    if ((binding.name === "x" || binding.name === "groups") && kept !== undefined)
      changeOthers(contents, size, kept);
    const buffer = device.createBuffer({
      size: contents.byteLength,
      usage: usage.storage | usage.copySrc | usage.copyDst,
    });
    device.queue.writeBuffer(buffer, 0, contents as Buffer & ArrayBufferView<ArrayBuffer>);
    return buffer;
  });
  const dispatch = await Pipelines.of(device).prepare([kernel as unknown as Kernel, size, ...buffers]);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [dispatch]);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const words = new Uint32Array(
    await readBuffer(device, buffers[bindings.findIndex(({ name }) => name === "y")]!),
  );
  for (const buffer of buffers) buffer.destroy();
  return words;
}

/** Much larger values, so that a summation order that depends on them would show. */
function changeOthers(x: Buffer, { T }: MatvecSize, kept: number): void {
  for (let i = 0; i < x.length; i++) if (Math.floor((i * T) / x.length) !== kept) x[i]! *= 1000;
}

const differing = (actual: Uint32Array, expected: Uint32Array): number =>
  expected.findIndex((word, i) => word !== actual[i]);

/** As in test/kernels/contract.test.ts. */
function runsHere({ requires = [], subgroupSize }: Kernel<MatvecSize>): boolean {
  return (
    requires.every((feature) => device.features.has(feature)) &&
    (subgroupSize === undefined || subgroupSize === device.adapterInfo.subgroupMinSize)
  );
}
