// The served model under each of its names, and its LoRA adapters, which requests name as models.
import { HttpError } from "../errors.ts";
import type { Service } from "../service.ts";

export const modelList = (service: Service) => ({
  object: "list",
  data: servedNames(service).map((id) => entry(service, id)),
});

/** @throws HttpError 404 */
export function namedModel(service: Service, id: string) {
  return entry(service, checkServed(service, id));
}

/** The name for the response: the requested one, of the model itself. @throws HttpError 404 */
export const checkName = (service: Service, asked: string | null | undefined): string =>
  checked(service, asked, namesOf(service));

/** The name for the response: the requested one, of the model or of an adapter. @throws HttpError 404 */
export const checkServed = (service: Service, asked: string | null | undefined): string =>
  checked(service, asked, servedNames(service));

/** The adapter that a served name stands for, as an option of calls. */
export const adapterNamed = (service: Service, name: string): { readonly adapter?: string } =>
  namesOf(service).includes(name) ? {} : { adapter: name };

function checked(service: Service, asked: string | null | undefined, names: readonly string[]): string {
  if (asked === undefined || asked === null) return service.name;
  if (names.includes(asked)) return asked;
  throw new HttpError(404, `model: expected ${names.join(", ")}, got "${asked.slice(0, 100)}".`, {
    code: "model_not_found",
    param: "model",
  });
}

export const namesOf = ({ name, aliases }: Service): string[] => [name, ...aliases];

const servedNames = (service: Service): readonly string[] => [
  ...new Set([...namesOf(service), ...service.model.adapters]),
];

/** An adapter has vLLM's field `parent`. */
const entry = (service: Service, id: string) => ({
  id,
  object: "model",
  created: service.started,
  owned_by: "sirocco",
  context_length: service.contextLength,
  ...(adapterNamed(service, id).adapter !== undefined && { parent: service.name }),
});
