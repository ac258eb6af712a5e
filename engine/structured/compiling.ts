// The errors of compiling a format, or the arguments of a tool, as those of the option that asks for it.
import { isParameterError, unsupported } from "../options/parameter.ts";
import { SchemaError } from "./json-schema/keywords.ts";

/** @throws TypeError with `parameter` for what cannot be held to */
export function compiling<T>(parameter: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof SchemaError) throw refused(parameter, error.message, error.path.slice(1));
    if (error instanceof SyntaxError) throw refused(parameter, error.message);
    // Of the machine, which does not know who asks.
    if (isParameterError(error) && error.parameter === "format" && error.detail)
      throw refused(parameter, error.detail);
    // The stack overflows.
    if (error instanceof RangeError && !isParameterError(error))
      throw refused(parameter, "expected less nesting, got too much. Flatten it.");
    throw error;
  }
}

/** @param path in a schema */
export const refused = (parameter: string, detail: string, path = ""): Error =>
  Object.assign(unsupported(parameter, `${parameter}: ${path && `$${path}: `}${detail}`), { detail, path });
