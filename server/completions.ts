// POST /v1/completions
import { HttpError } from "./errors.ts";
import type { Ctx } from "./exchange.ts";
import type { Service } from "./service.ts";

export async function completions(_c: Ctx, _service: Service): Promise<Response> {
  throw new HttpError(501, "completions: not there yet.");
}
