// The served model, under each of its names.
import { HttpError } from "../errors.ts";
import type { Service } from "../service.ts";

export const modelList = (service: Service) => ({
  object: "list",
  data: namesOf(service).map((id) => entry(service, id)),
});

/** @throws HttpError 404 */
export function namedModel(service: Service, id: string) {
  checkName(service, id);
  return entry(service, id);
}

/** The name for the response: the requested one. @throws HttpError 404 */
export function checkName(service: Service, asked: string | null | undefined): string {
  const names = namesOf(service);
  if (asked === undefined || asked === null) return service.name;
  if (names.includes(asked)) return asked;
  throw new HttpError(404, `model: expected ${names.join(", ")}, got "${asked.slice(0, 100)}".`, {
    code: "model_not_found",
    param: "model",
  });
}

export const namesOf = ({ name, aliases }: Service): string[] => [name, ...aliases];

const entry = ({ started, contextLength }: Service, id: string) => ({
  id,
  object: "model",
  created: started,
  owned_by: "sirocco",
  context_length: contextLength,
});
