// After dispose() every call says so, and so does what was running.
import { expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";
import { DISPOSED, EVERY_CALL, readAll } from "./every-call.ts";

expectNoUnhandledRejections();

test("after dispose() every call rejects and says what to do; a second dispose() does nothing", async () => {
  const model = await loadModel();
  await model.answer([{ role: "user", content: "Hi" }], { temperature: 0, maxTokens: 2 });
  model.dispose();
  model.dispose();
  for (const [name, call] of Object.entries(EVERY_CALL)) {
    const error = await call(model).catch((each: unknown) => each);
    expect(error, name).toMatchObject({ ...DISPOSED, message: expect.stringMatching(/Load it again\.$/) });
  }
  expect(model.plan.weightBytes).toBeGreaterThan(0);
  model.dispose();
});

test("dispose() ends what runs and what waits in line, and a stream that is not being read", async () => {
  const model = await loadModel(undefined, { parallel: 1 });
  const endless = { maxTokens: 1e6, ignoreEos: true };
  const stream = model.generate("Once upon a time", endless);
  await stream.next();
  const busy: readonly ((model: Model) => Promise<unknown>)[] = [
    () => model.answer([{ role: "user", content: "Hi" }], { temperature: 0, maxTokens: 400 }),
    () => model.score("Once upon a time"),
    () => model.saveSession(),
    () => model.classify("Hi", ["a", "b"]),
  ];
  const ends = busy.map((call) => call(model).catch((error: unknown) => error));
  model.dispose();
  for (const end of ends) expect(await end).toMatchObject(DISPOSED);
  await expect(readAll(stream)).rejects.toMatchObject(DISPOSED);
});
