// Workers AI's routes of LoRA adapters: create, upload, list.
// https://developers.cloudflare.com/workers-ai/features/fine-tunes/loras/
import { Hono } from "hono";
import { bodyChunks, readBody } from "../body.ts";
import { HttpError } from "../errors.ts";
import type { Finetune, Finetunes } from "../finetunes.ts";
import { readParts } from "../multipart.ts";
import type { Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { envelope } from "../workers-ai-error.ts";

/** Boundaries, headers and the other field of a form with a file. */
const FORM_BYTES = 2 ** 16;

export function finetuneRoutes(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  // Cloudflare's examples end in a slash.
  app.on("POST", both("/finetunes"), async (c) => {
    const finetunes = kept(service);
    const body = await readBody(c, service.limits);
    return c.json(envelope(await finetunes.create(body)));
  });
  app.on("POST", both("/finetunes/:finetune/finetune-assets"), async (c) => {
    const finetunes = kept(service);
    const body = bodyChunks(c, finetunes.limits.fileBytes + FORM_BYTES);
    const form = readParts(c.req.header("Content-Type"), body);
    return c.json(envelope(await finetunes.upload(c.req.param("finetune") ?? "", form)));
  });
  // A list in a list, as at Cloudflare.
  app.on("GET", both("/finetunes"), (c) => c.json(envelope([kept(service).list])));
  app.on("GET", both("/finetunes/public"), (c) => c.json(envelope(publicOf(service))));
  return app;
}

const both = (path: string): string[] => [path, `${path}/`];

/** @throws HttpError 501 without --adapter-dir */
function kept({ finetunes }: Service): Finetunes {
  if (finetunes) return finetunes;
  throw new HttpError(501, "finetunes: this server keeps none. Start it with --adapter-dir.");
}

/** The adapters that the server was started with. */
function publicOf({ model, name, started, finetunes }: Service): Finetune[] {
  const uploaded = new Set(finetunes?.list.map((each) => each.name));
  const since = new Date(started * 1000).toISOString();
  return model.adapters
    .filter((each) => !uploaded.has(each))
    .map((each) => ({
      ...{ id: each, name: each, model: name, description: "" },
      ...{ created_at: since, modified_at: since, public: true },
    }));
}
