// `loadModelInWorker` in Chromium: the interface of a model, a page that stays responsive, and the golden
// numbers of Node.
import { readdirSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model, Progress } from "../../engine/index.ts";
import { CHUNKS_AHEAD } from "../../engine/worker/protocol.ts";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

declare global {
  var model: Model;
}

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));

let site: EnginePage;
let page: Page;
let progress: Progress[];
beforeAll(async () => {
  site = await openEnginePage();
  page = await site.open();
  progress = await page.evaluate(async () => {
    const progress: Progress[] = [];
    globalThis.model = await sirocco.loadModelInWorker(undefined, {
      weights: "f32",
      onProgress: (one) => progress.push(one),
    });
    return progress;
  });
});
afterAll(() => site?.close());

test("loading reports its progress", () => {
  expect(progress.length).toBeGreaterThan(1);
  const { stage, loaded, total } = progress.at(-1)!;
  expect({ stage, loaded }).toEqual({ stage: "load", loaded: total });
});

test.each(["02_once", "10_len_129"])("%s: the golden logits and greedy ids", async (name) => {
  const { ids, last_logits, greedy_64_ids, greedy_top1_minus_top2 } = golden(name);
  const { logits, answer } = await page.evaluate(async (ids: number[]) => {
    const logits = Array.from(await model.logits(ids));
    const answer: number[] = [];
    for await (const chunk of model.generate(ids, { temperature: 0, maxTokens: 64, ignoreEos: true }))
      answer.push(...chunk.ids);
    return { logits, answer };
  }, ids);
  const expected = new Float32Array(new Uint8Array(Buffer.from(last_logits.f32_base64, "base64")).buffer);
  expect(logits.length).toBe(expected.length);
  expect(Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(5e-4);
  // After a token that the reference hardly preferred, another continuation may be right.
  const unsure = greedy_top1_minus_top2.findIndex((margin: number) => margin <= 1e-2);
  const sure = unsure < 0 ? 64 : unsure;
  expect(sure).toBeGreaterThan(0);
  expect(answer.slice(0, sure)).toEqual(greedy_64_ids.slice(0, sure));
  expect(answer.length).toBe(64);
});

test("golden log-probabilities, token ids and text", async () => {
  const { ids, logprobs_of_ids_1_to_end } = golden("text600");
  const some: number[] = ids.slice(0, 65);
  const { logProbs, back } = await page.evaluate(async (ids) => {
    const { logProbs } = await model.score(ids);
    return { logProbs: Array.from(logProbs), back: await model.encode(await model.decode(ids)) };
  }, some);
  expect(logProbs.length).toBe(64);
  const worst = Math.max(...logProbs.map((value, i) => Math.abs(value - logprobs_of_ids_1_to_end[i])));
  expect(worst).toBeLessThan(5e-4);
  expect(back).toEqual(some);
});

test("a slow reader holds the model back, and a signal ends the answer", async () => {
  const finish = await page.evaluate(async () => {
    const controller = new AbortController();
    const answer = model.generate("Once", {
      temperature: 0,
      maxTokens: 200,
      ignoreEos: true,
      signal: controller.signal,
    });
    await answer.next();
    // Time for dozens of tokens: the count at the end shows how many were made.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    controller.abort();
    for await (const { finish } of answer) if (finish) return finish;
    return undefined;
  });
  expect(finish?.reason).toBe("abort");
  // The token read, those ahead of it, and the one during which the signal arrived.
  expect(finish?.completionTokens).toBeLessThanOrEqual(CHUNKS_AHEAD + 2);
});

test("after a break the model is free", async () => {
  const times = await page.evaluate(async () => {
    for await (const _ of model.generate("Once", { temperature: 0, maxTokens: 2000, ignoreEos: true })) break;
    const left = performance.now();
    await model.logits([1]);
    return performance.now() - left;
  });
  // All 2000 tokens would take a hundred times as long.
  expect(times).toBeLessThan(10_000);
});

test("errors keep their classes", async () => {
  const classes = await page.evaluate(async () => {
    const thrown = (work: Promise<unknown>) => work.catch((error: unknown) => error);
    const missing = await thrown(sirocco.loadModelInWorker(new URL("nowhere/", location.href).href));
    const noRoom = await thrown(model.logits(new Array(model.contextLength + 1).fill(1)));
    const noId = await thrown(model.generate([-1]).next());
    const reason = new Error("enough");
    const controller = new AbortController();
    const scored = thrown(model.score(new Array(300).fill(1), { signal: controller.signal }));
    controller.abort(reason);
    const noScript = await thrown(
      sirocco.loadModelInWorker(undefined, { worker: new Worker("nowhere.js", { type: "module" }) }),
    );
    return {
      missing: missing instanceof sirocco.CheckpointError && missing.message,
      noRoom: noRoom instanceof sirocco.ContextLengthError,
      noId: noId instanceof RangeError,
      aborted: (await scored) === reason,
      noScript: noScript instanceof sirocco.DeviceError && noScript.code,
    };
  });
  expect(classes).toEqual({
    missing: expect.stringMatching(/config\.json/),
    noRoom: true,
    noId: true,
    aborted: true,
    noScript: "no-worker",
  });
  // A worker whose model did not load is terminated.
  await expect.poll(() => page.workers().length).toBe(1);
});

test("picked files are read in the worker", async () => {
  const found = await page.evaluate(
    async (names) => {
      const files = await Promise.all(
        names.map(async (name) => {
          const response = await fetch(new URL(`weights/tiny-mistral/${name}`, location.href));
          return new File([await response.blob()], name);
        }),
      );
      const picked = await sirocco.loadModelInWorker(files);
      const logits = [await picked.logits([1]), await model.logits([1])].map((values) =>
        values.indexOf(Math.max(...values)),
      );
      const ids = await picked.encode("Once");
      picked.dispose();
      return { logits, ids };
    },
    readdirSync(new URL("../../weights/tiny-mistral", import.meta.url)),
  );
  expect(found.logits[0]).toBe(found.logits[1]);
  expect(found.ids).toEqual(golden("02_once").ids.slice(0, found.ids.length));
  await expect.poll(() => page.workers().length).toBe(1);
});

test("while 500 tokens are prefilled the page stays responsive and does not use the GPU", async () => {
  const { gap, held, blocked, submits, finish } = await page.evaluate(async () => {
    /** Longest time between two turns of the event loop until the function that it returns is called. */
    const meter = `() => {
      const { port1, port2 } = new MessageChannel();
      let longest = 0, last = performance.now(), running = true;
      port1.onmessage = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        if (running) setTimeout(() => port2.postMessage(0), 4);
      };
      port2.postMessage(0);
      return async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        running = false;
        return longest;
      };
    }`;
    const startMeter = new Function(`return (${meter})()`) as () => () => Promise<number>;
    // Another thread that only waits: its delays are not caused by the page, but by a busy
    // machine.
    const bystander = new Worker(
      URL.createObjectURL(
        new Blob([`const stop = (${meter})(); onmessage = async () => postMessage(await stop());`]),
      ),
    );
    let submits = 0;
    const { submit } = GPUQueue.prototype;
    GPUQueue.prototype.submit = function (...args) {
      submits++;
      return submit.apply(this, args);
    };
    const stop = startMeter();
    const ids = Array.from({ length: 500 }, (_, i) => 3 + (i % 1000));
    const { value } = await model.generate(ids, { temperature: 0, maxTokens: 1 }).next();
    const gap = await stop();
    const held = await new Promise<number>((resolve) => {
      bystander.onmessage = ({ data }) => resolve(data);
      bystander.postMessage(0);
    });
    GPUQueue.prototype.submit = submit;
    const stopBlocked = startMeter();
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const end = performance.now() + 400; performance.now() < end; );
    return { gap, held, blocked: await stopBlocked(), submits, finish: value ? value.finish : undefined };
  });
  const { promptTokens, cachedTokens, prefillMs } = finish!;
  console.log(
    `longest gap ${gap.toFixed(0)} ms in ${prefillMs.toFixed(0)} ms of prefill; a bystander's ${held.toFixed(0)} ms`,
  );
  expect({ promptTokens, cachedTokens }).toEqual({ promptTokens: 500, cachedTokens: 0 });
  expect(blocked, "the meter sees a block").toBeGreaterThan(390);
  expect(gap).toBeLessThan(250 + 2 * held);
  expect(submits).toBe(0);
}, 600_000);

test("dispose() ends the worker, and later calls fail", async () => {
  expect(page.workers().length).toBeGreaterThan(0);
  const error = await page.evaluate(async () => {
    model.dispose();
    const error = await model.encode("a").catch((error: unknown) => error);
    return error instanceof sirocco.DeviceLostError && error.message;
  });
  expect(error).toMatch(/disposed/);
  await expect.poll(() => page.workers().filter((worker) => !worker.url().startsWith("blob:"))).toEqual([]);
});
