// OpenAI's API, under /v1.
import { Hono } from "hono";
import { HttpError } from "../errors.ts";
import { authorize } from "../middleware.ts";
import { openaiError } from "../openai-error.ts";
import type { Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { modelList, namedModel } from "./models.ts";
import { moderations } from "./moderations.ts";
import { chatCompletions } from "./openai-chat.ts";
import { completions } from "./openai-completions.ts";
import { detokenize, tokenize } from "./tokens.ts";

export function openai(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  app.use(authorize(service));
  app.post("/chat/completions", (c) => chatCompletions(c, service));
  app.post("/completions", (c) => completions(c, service));
  app.get("/models", (c) => c.json(modelList(service)));
  app.get("/models/:id{.+}", (c) => c.json(namedModel(service, c.req.param("id"))));
  app.post("/moderations", (c) => moderations(c, service));
  app.post("/tokenize", (c) => tokenize(c, service));
  app.post("/detokenize", (c) => detokenize(c, service));
  app.all("/embeddings", () => {
    throw new HttpError(
      501,
      "embeddings: expected a model that makes embeddings, got one that generates text.",
      {
        code: "not_implemented",
      },
    );
  });
  app.onError(openaiError);
  return app;
}
