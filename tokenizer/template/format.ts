// Python's formatting of texts: "%s" % value and "{}".format(value).
import { fail, unsupported } from "./meter.ts";
import { fixed } from "./numbers.ts";
import { pad } from "./strings.ts";
import { joined, type Run, repr, text } from "./text.ts";
import {
  characters as charactersOf,
  Dict,
  Float,
  isList,
  type Keywords,
  numeric,
  orElse,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Python's `template % value` */
export function percentFormat(run: Run, template: string, value: Value): string {
  run.meter.read(template.length);
  const values = value instanceof Tuple ? value.items : [value];
  const parts: string[] = [];
  let used = 0;
  let end = 0;
  let named = false;
  const next = (): Value => orElse(values[used++], () => fail("not enough arguments for format string"));
  const pattern = /%(?:\(([^()]*)\))?([-+ 0#]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?(.?)/gsu;
  for (const match of template.matchAll(pattern)) {
    run.meter.step();
    const [whole, name, flags = "", width = "", precision, kind = ""] = match;
    parts.push(template.slice(end, match.index));
    end = match.index + whole.length;
    if (kind === "") fail("incomplete format");
    if (kind === "%") {
      parts.push("%");
      continue;
    }
    if (width === "*" || precision === "*") unsupported('"*" in a "%" format');
    if (name !== undefined && !(value instanceof Dict)) fail("format requires a mapping");
    named ||= name !== undefined;
    const item =
      name === undefined
        ? next()
        : orElse((value as Dict).get(name), () => fail(`no value for "%(${name.slice(0, 60)})"`));
    parts.push(percentItem(run, item, flags, Number(width), precision, kind));
  }
  if (used < values.length && !named && !(value instanceof Dict) && !isMapping(value)) {
    fail("not all arguments converted during string formatting");
  }
  parts.push(template.slice(end));
  return joined(run, parts, "");
}

/** Python allows unused values if they can be indexed by a key: a dict, a list, an undefined value. */
const isMapping = (value: Value): boolean =>
  typeof value === "object" && (isList(value as Value) || value instanceof Undefined);

function percentItem(
  run: Run,
  value: Value,
  flags: string,
  width: number,
  precision: string | undefined,
  kind: string,
): string {
  const digits = precision === undefined ? undefined : Number(precision || 0);
  if (kind === "s" || kind === "r") {
    const whole = kind === "s" ? text(run, value) : repr(run, value);
    const cut = digits === undefined ? whole : charactersOf(run.meter, whole).slice(0, digits).join("");
    return pad(run, cut, width, " ", flags.includes("-") ? "<" : ">");
  }
  if (!"dioxXfF".includes(kind)) return unsupported(`"%${kind}" in a format`);
  const number = numeric(value);
  if (!number) return fail(`%${kind} format: a real number is required, not ${typeName(value)}`);
  if (number.float && "oxX".includes(kind)) {
    return fail(`%${kind} format: an integer is required, not float`);
  }
  const float = "fF".includes(kind);
  if (float && digits !== undefined && digits > 60) unsupported("a float of so many digits");
  if (!Number.isFinite(number.value)) unsupported("a format of inf or nan");
  if (!"fF".includes(kind) && Math.abs(number.value) > Number.MAX_SAFE_INTEGER)
    unsupported("an int beyond 2^53");
  let body = float
    ? fixed(Math.abs(number.value), digits ?? 6)
    : based(Math.abs(Math.trunc(number.value)), kind, flags.includes("#"), digits ?? 0);
  if (kind === "X") body = body.toUpperCase();
  const negative = float ? number.value < 0 || Object.is(number.value, -0) : Math.trunc(number.value) < 0;
  const sign = signOf(negative, flags);
  if (flags.includes("-")) return pad(run, sign + body, width, " ", "<");
  if (!flags.includes("0")) return pad(run, sign + body, width, " ", ">");
  const prefix = /^0[xo]/i.exec(body)?.[0] ?? "";
  return sign + prefix + pad(run, body.slice(prefix.length), width - sign.length - prefix.length, "0", ">");
}

const signOf = (negative: boolean, flags: string): string =>
  negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";

function based(value: number, kind: string, marked: boolean, digits: number): string {
  if (digits > 60) unsupported("a number of so many digits");
  const radix = { x: 16, X: 16, o: 8, b: 2 }[kind] ?? 10;
  const body = value.toString(radix).padStart(digits, "0");
  return marked && radix !== 10 ? `0${kind === "X" ? "x" : kind}${body}` : body;
}

/** Python's `template.format(...)` */
export function braceFormat(run: Run, template: string, args: readonly Value[], keywords: Keywords): string {
  run.meter.read(template.length);
  const parts: string[] = [];
  let automatic = 0;
  let end = 0;
  let mode: "automatic" | "manual" | undefined;
  const pattern = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
  for (const match of template.matchAll(pattern)) {
    run.meter.step();
    const [whole, field] = match;
    parts.push(template.slice(end, match.index));
    end = match.index + whole.length;
    if (whole === "{{" || whole === "}}") parts.push(whole.charAt(0));
    else if (field === undefined) {
      unsupported('a "{" or "}" without its other half, or one within another, in a format');
    } else {
      const [, path = "", conversion, spec = ""] = /^([^!:]*)(?:!([^:]?))?(?::(.*))?$/s.exec(field) ?? [];
      if (/[.[]/.test(path)) unsupported('a "." or "[" in a field of a format');
      if (path === "" || /^\d+$/.test(path)) {
        const now = path === "" ? "automatic" : "manual";
        if (mode !== undefined && mode !== now) {
          fail("cannot switch between manual field specification and automatic field numbering");
        }
        mode = now;
      }
      const index = path === "" ? automatic++ : /^\d+$/.test(path) ? Number(path) : undefined;
      let value: Value = orElse(index === undefined ? keywords.get(path) : args[index], () =>
        fail(`format: no value for "{${field.slice(0, 60)}}"`),
      );
      if (conversion !== undefined && conversion !== "r" && conversion !== "s") {
        unsupported(`"!${conversion}" in a format`);
      }
      if (conversion === "r") value = repr(run, value);
      if (conversion === "s") value = text(run, value);
      parts.push(spec === "" ? text(run, value) : withSpec(run, value, spec));
    }
  }
  parts.push(template.slice(end));
  return joined(run, parts, "");
}

function withSpec(run: Run, value: Value, spec: string): string {
  const match = /^(?:(.)?([<>^=]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/su.exec(spec);
  if (!match) return unsupported(`the format "${spec.slice(0, 60)}"`);
  const [, fillGiven, alignGiven, sign = "-", marked, zero, width = "0", group, precision, kind] = match;
  const fill = fillGiven ?? (zero ? "0" : " ");
  const number = typeof value === "boolean" ? undefined : numeric(value);
  if (typeof value === "string" && (kind === undefined || kind === "s")) {
    if (sign !== "-" || match[3] || marked || group || alignGiven === "=")
      fail("not allowed in a string's format");
    if (zero && !alignGiven) unsupported(`the format "${spec.slice(0, 60)}" of a text`);
    const cut =
      precision === undefined ? value : charactersOf(run.meter, value).slice(0, Number(precision)).join("");
    return pad(run, cut, Number(width), fill, alignGiven ?? "<");
  }
  const float = value instanceof Float;
  if (!number || !Number.isFinite(number.value) || !"dxXobfF%".includes(kind ?? (float ? "?" : "d"))) {
    return unsupported(`the format "${spec.slice(0, 60)}" of a ${typeName(value)}`);
  }
  const asFloat = "fF%".includes(kind ?? "d");
  if (float && !asFloat) return fail(`Unknown format code '${kind}' for object of type 'float'`);
  if (!asFloat && precision !== undefined) fail("Precision not allowed in integer format specifier");
  const size = Math.abs(number.value) * (kind === "%" ? 100 : 1);
  let body = asFloat
    ? fixed(size, Number(precision ?? 6))
    : based(size, kind ?? "d", marked !== undefined, 0);
  if (group) {
    if (!asFloat && (kind ?? "d") !== "d") return unsupported(`the format "${spec.slice(0, 60)}"`);
    body = body.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, group);
  }
  if (kind === "X") body = body.toUpperCase();
  if (kind === "%") body += "%";
  const signed = signOf(number.value < 0 || Object.is(number.value, -0), sign);
  const align = alignGiven ?? (zero ? "=" : ">");
  if (align !== "=") return pad(run, signed + body, Number(width), fill, align);
  if (group && fill === "0") return unsupported(`the format "${spec.slice(0, 60)}"`);
  const prefix = /^0[xob]/i.exec(body)?.[0] ?? "";
  const rest = body.slice(prefix.length);
  return signed + prefix + pad(run, rest, Number(width) - signed.length - prefix.length, fill, ">");
}
