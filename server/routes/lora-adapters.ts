// llama.cpp's routes of LoRA adapters, at the root: a list, and the scales of requests that name no adapter.
import { Hono } from "hono";
import { readJson } from "../body.ts";
import { authorize } from "../middleware.ts";
import type { Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";

const PATH = "/lora-adapters";

export function loraAdapters(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  app.use(PATH, authorize(service));
  app.get(PATH, (c) => c.json(service.defaultAdapters.list));
  /** `[{ id, scale }]` -> `{ success: true }` */
  app.post(PATH, async (c) => {
    await service.defaultAdapters.set(await readJson(c, service.limits));
    return c.json({ success: true });
  });
  return app;
}
