// Tokens come in the order of their steps, whichever buffer is mapped first.
import { expect, test } from "vitest";
import { loadModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { greedy } from "./golden.ts";

const PROMPT = [1, 403, 407];

test("a buffer that is mapped late does not move its token", async () => {
  const device = await openTestDevice();
  const model = await loadModel(undefined, { device });
  const expected = await greedy(model, PROMPT, 24);
  model.dispose();

  const create = device.createBuffer.bind(device);
  let late = 0;
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    if (!/tokens [02]$/.test(descriptor.label ?? "")) return buffer;
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = async (...args) => {
      await map(...args);
      late++;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return undefined;
    };
    return buffer;
  };
  const slow = await loadModel(undefined, { device });
  expect(await greedy(slow, PROMPT, 24)).toEqual(expected);
  expect(late).toBeGreaterThan(4);
  slow.dispose();
});
