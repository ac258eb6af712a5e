import { fail } from "./meter.ts";
import type { Expression, Scope } from "./scope.ts";
import { Dict, orElse, Thing, Tuple, Undefined, type Value } from "./values.ts";

export interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

export interface Definition {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Names that the body reads. */
  readonly read: ReadonlySet<string>;
  readonly body: (scope: Scope) => string;
}

/** Nested macro calls. More would overflow the stack. */
const MAX_CALL_DEPTH = 100;

/** Makes a macro of this scope. It accepts `varargs`, `kwargs` and `caller` only if its body reads them. */
export function makeMacro(around: Scope, { name, parameters, read, body }: Definition): Thing {
  const names = parameters.map((parameter) => parameter.name);
  const declaresCaller = names.includes("caller");
  const call: NonNullable<Thing["call"]> = (args, given) => {
    const keywords = new Map(given);
    const scope = around.inner();
    if (args.length > names.length && !read.has("varargs")) {
      fail(`macro '${name}' takes not more than ${names.length} argument(s)`);
    }
    parameters.forEach((parameter, i) => {
      const value = i < args.length ? args[i] : keywords.get(parameter.name);
      if (i >= args.length) keywords.delete(parameter.name);
      const missing = (): Value => new Undefined(`parameter '${parameter.name}' was not provided`);
      scope.set(
        parameter.name,
        orElse(value, () => orElse(parameter.fallback?.(scope), missing)),
      );
    });
    if (read.has("caller") && !declaresCaller) {
      scope.set(
        "caller",
        orElse(keywords.get("caller"), () => new Undefined("No caller defined")),
      );
      keywords.delete("caller");
    }
    if (read.has("kwargs")) scope.set("kwargs", Dict.of(keywords));
    else
      for (const key of keywords.keys())
        fail(`macro '${name}' takes no keyword argument '${key.slice(0, 60)}'`);
    if (read.has("varargs")) scope.set("varargs", new Tuple(args.slice(names.length)));
    return around.run.meter.within(MAX_CALL_DEPTH, () => body(scope));
  };
  const attributes: [string, Value][] = [
    ["name", name],
    ["arguments", new Tuple(names)],
    ["catch_kwargs", read.has("kwargs")],
    ["catch_varargs", read.has("varargs")],
    ["caller", read.has("caller")],
  ];
  return new Thing("macro", attributes, call);
}
