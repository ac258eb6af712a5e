// The served model under each of its names, and its LoRA adapters, which requests name as models.
import { isNothing } from "../../engine/apis/quiet-fields.ts";
import type { AdapterChoice } from "../../engine/node.ts";
import { unsupported } from "../../engine/options/parameter.ts";
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

const isAdapter = (service: Service, name: string): boolean => !namesOf(service).includes(name);

/**
 * What the answers of a request are computed with, as an option of calls: the adapter that it names as its
 * model, or those of llama.cpp's field `lora`, or those that apply by default.
 * @param name a served one
 * @throws TypeError, RangeError with `parameter`
 */
export async function adaptersFor(
  service: Service,
  name: string,
  lora: unknown,
): Promise<{ readonly adapter?: AdapterChoice }> {
  if (!isAdapter(service, name)) return service.defaultAdapters.chosen(lora);
  if (isNothing(lora)) return { adapter: name };
  throw unsupported("lora", `lora: expected none with an adapter as model, got one. Use ${service.name}.`);
}

function checked(service: Service, asked: string | null | undefined, names: readonly string[]): string {
  if (asked === undefined || asked === null) return service.name;
  if (names.includes(asked)) return asked;
  throw new HttpError(404, `model: expected ${names.join(", ")}, got "${asked.slice(0, 100)}".`, {
    code: "model_not_found",
    param: "model",
  });
}

const namesOf = ({ name, aliases }: Service): string[] => [name, ...aliases];

const servedNames = (service: Service): readonly string[] => [
  ...new Set([...namesOf(service), ...service.model.adapters]),
];

/** With vLLM's fields `root` and `parent`. Of an adapter the root is itself, as no path is told. */
const entry = (service: Service, id: string) => ({
  id,
  object: "model",
  created: service.started,
  owned_by: "sirocco",
  context_length: service.contextLength,
  root: isAdapter(service, id) ? id : service.name,
  parent: isAdapter(service, id) ? service.name : null,
});
