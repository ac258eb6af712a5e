// Operands of expressions: literals, names, accesses, calls, filters and tests.
import { getAttribute, getItem, getSlice } from "./access.ts";
import { applyFilter, hasFilter } from "./filters.ts";
import { refusedGlobals } from "./globals.ts";
import { fail } from "./meter.ts";
import { refusedMethods } from "./methods.ts";
import type { Expression, Scope } from "./scope.ts";
import { applyTest, hasTest } from "./tests.ts";
import { text } from "./text.ts";
import { TokenReader } from "./token-reader.ts";
import {
  Dict,
  Float,
  type Keywords,
  Thing,
  toInt,
  toList,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Operators, filters or accesses in a row. */
const MAX_CHAIN = 1000;

interface Arguments {
  readonly evaluate: (scope: Scope) => { args: Value[]; keywords: Map<string, Value> };
  /** The values of positional arguments that are string literals; undefined for others. */
  readonly texts: readonly (string | undefined)[];
}

/** A call, with an optional extra argument by name. */
type Call = (scope: Scope, extra?: readonly [name: string, value: Value]) => Value;

const noArguments: Arguments = {
  evaluate: () => ({ args: [], keywords: new Map() }),
  texts: [],
};

const constants: Readonly<Record<string, Value>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

export const isConstant = (name: string): boolean => Object.hasOwn(constants, name);

/** Parses operands. Expressions inside brackets are parsed by the subclass. */
export abstract class OperandParser extends TokenReader {
  readonly #calls = new WeakMap<Expression, Call>();
  readonly #texts = new WeakMap<Expression, string>();
  /** The names that were read since the set was last replaced. */
  names = new Set<string>();

  /** Parses one expression, or several as a tuple without brackets. */
  abstract expressions(conditional?: boolean, explicit?: boolean): Expression;

  abstract expression(conditional?: boolean): Expression;

  protected limit(length: number): void {
    if (length > MAX_CHAIN) this.refuse(`more than ${MAX_CHAIN} parts in one expression`, this.token.line);
  }

  protected many(parts: readonly Expression[], make: (items: Value[]) => Value): Expression {
    return (scope) => {
      scope.run.meter.step(1 + parts.length);
      return make(parts.map((part) => part(scope)));
    };
  }

  protected primary(): Expression {
    const { kind, value, line } = this.token;
    if (kind === "name") {
      this.next();
      if (isConstant(value)) return () => constants[value] as Value;
      if (refusedGlobals.has(value)) this.refuse(`the function "${value}"`, line);
      this.names.add(value);
      return (scope) => {
        scope.run.meter.step();
        return scope.get(value);
      };
    }
    if (kind === "string") {
      const parts: string[] = [];
      while (this.is("string")) parts.push(this.next().value);
      const whole = parts.join("");
      const constant = (): Value => whole;
      this.#texts.set(constant, whole);
      return constant;
    }
    if (kind === "integer" || kind === "float") {
      this.next();
      const plain = Number(value.replaceAll("_", ""));
      const number = kind === "float" ? new Float(plain) : toInt(plain);
      return () => number;
    }
    if (this.skip("operator", "(")) {
      const inner = this.nested(() => this.expressions(true, true));
      this.expect("operator", ")");
      // The same object, so a string literal in brackets still counts as one, as in jinja2.
      return inner;
    }
    if (this.skip("operator", "[")) {
      const items = this.#listed("]", () => this.expression());
      return this.many(items, (values) => values);
    }
    if (this.skip("operator", "{")) return this.#dict();
    return this.wrong("Expected an expression");
  }

  /** Parses parts separated by commas, and the closing bracket. */
  #listed<T>(close: string, part: () => T): T[] {
    const parts: T[] = [];
    while (!this.is("operator", close)) {
      if (parts.length > 0) this.expect("operator", ",");
      if (this.is("operator", close)) break;
      parts.push(part());
    }
    this.expect("operator", close);
    return parts;
  }

  #dict(): Expression {
    const pairs = this.#listed("}", () => {
      const key = this.expression();
      this.expect("operator", ":");
      return [key, this.expression()] as const;
    });
    return (scope) => {
      scope.run.meter.step(1 + pairs.length);
      return Dict.of(pairs.map(([key, value]) => [key(scope), value(scope)]));
    };
  }

  /** Parses accesses and calls after a value. */
  protected postfix(start: Expression): Expression {
    let value = start;
    for (let length = 0; ; this.limit(++length)) {
      if (this.skip("operator", ".")) value = this.#attribute(value);
      else if (this.skip("operator", "[")) value = this.#subscript(value);
      else if (this.is("operator", "(")) value = this.#call(value);
      else return value;
    }
  }

  #attribute(value: Expression): Expression {
    const { kind, value: name, line } = this.next();
    if (kind === "integer") return (scope) => getItem(scope.run, value(scope), toInt(Number(name)));
    if (kind !== "name") fail(`line ${line}: expected name or number, got '${name.slice(0, 60)}'`);
    if (refusedMethods.has(name) && this.is("operator", "(")) this.refuse(`the method "${name}"`, line);
    return (scope) => {
      scope.run.meter.step();
      return getAttribute(scope.run, value(scope), name);
    };
  }

  #subscript(value: Expression): Expression {
    const keys = [this.#key()];
    while (this.skip("operator", ",")) keys.push(this.#key());
    this.expect("operator", "]");
    const [read] = keys;
    if (keys.length > 1 || !read) return this.refuse("several keys in one [...]", this.token.line);
    return (scope) => {
      scope.run.meter.step();
      return read(scope, value(scope));
    };
  }

  /** Parses a key or a slice inside [...]. */
  #key(): (scope: Scope, value: Value) => Value {
    const bounds: (Expression | undefined)[] = [];
    for (;;) {
      const empty = this.is("operator", ":") || this.is("operator", "]") || this.is("operator", ",");
      bounds.push(empty ? undefined : this.expression());
      if (bounds.length === 3 || !this.skip("operator", ":")) break;
    }
    const [from, to, by] = bounds;
    if (bounds.length > 1) {
      return (scope, value) => getSlice(scope.run, value, from?.(scope), to?.(scope), by?.(scope));
    }
    if (!from) return this.wrong("Expected an expression");
    return (scope, value) => getItem(scope.run, value, from(scope));
  }

  #call(callee: Expression): Expression {
    const { evaluate } = this.arguments();
    const call: Call = (scope, extra) => {
      scope.run.meter.step();
      const target = callee(scope);
      const { args, keywords } = evaluate(scope);
      if (extra) keywords.set(...extra);
      return invoke(target, args, keywords);
    };
    const plain: Expression = (scope) => call(scope);
    this.#calls.set(plain, call);
    return plain;
  }

  /** The call of a call expression; undefined for other expressions. */
  protected callOf(expression: Expression): Call | undefined {
    return this.#calls.get(expression);
  }

  /** Parses arguments in round brackets. */
  protected arguments(): Arguments {
    this.expect("operator", "(");
    const plain: Expression[] = [];
    const named: [string, Expression][] = [];
    let spread: Expression | undefined;
    let spreadNamed: Expression | undefined;
    this.#listed(")", () => {
      const after = this.after;
      if (!spread && !spreadNamed && this.skip("operator", "*")) spread = this.expression();
      else if (!spreadNamed && this.skip("operator", "**")) spreadNamed = this.expression();
      else if (!spreadNamed && this.is("name") && after?.kind === "operator" && after.value === "=") {
        const { value } = this.next();
        this.next();
        named.push([value, this.expression()]);
      } else if (named.length > 0 || spread || spreadNamed)
        this.wrong("invalid syntax for function call expression");
      else plain.push(this.expression());
      this.limit(plain.length + named.length);
    });
    return {
      texts: plain.map((part) => this.#texts.get(part)),
      evaluate: (scope) => {
        const { meter } = scope.run;
        const args = plain.map((part) => part(scope));
        const keywords = new Map(named.map(([name, value]) => [name, value(scope)]));
        if (spread) for (const item of toList(meter, spread(scope))) args.push(item);
        const more = spreadNamed?.(scope);
        if (more !== undefined && !(more instanceof Dict)) fail("argument after ** must be a mapping");
        if (more instanceof Dict) {
          for (const [key, value] of more.entries.values()) keywords.set(text(scope.run, key), value);
        }
        return { args, keywords };
      },
    };
  }

  /** Parses filters and tests after a value, and calls of their results. */
  protected filters(start: Expression): Expression {
    let value = start;
    for (let length = 0; ; this.limit(++length)) {
      if (this.skip("operator", "|")) value = this.filter(value);
      else if (this.skip("name", "is")) value = this.#test(value);
      else if (this.is("operator", "(")) value = this.#call(value);
      else return value;
    }
  }

  #dottedName(): string {
    let name = this.expect("name").value;
    while (this.skip("operator", ".")) name += `.${this.expect("name").value}`;
    return name;
  }

  /** Parses the filter after a "|". */
  protected filter(value: Expression): Expression {
    const { line } = this.token;
    const name = this.#dottedName();
    if (!hasFilter(name)) this.refuse(`the filter "${name.slice(0, 60)}"`, line);
    const { evaluate, texts } = this.is("operator", "(") ? this.arguments() : noArguments;
    const [first, second] = texts;
    if (name === "map" && first !== undefined && !hasFilter(first))
      this.refuse(`the filter "${first}"`, line);
    const test = name.endsWith("attr") ? second : first;
    if (/^(select|reject)(attr)?$/.test(name) && test !== undefined && !hasTest(test)) {
      this.refuse(`the test "${test}"`, line);
    }
    return (scope) => {
      const subject = value(scope);
      const { args, keywords } = evaluate(scope);
      return applyFilter(scope.run, name, subject, args, keywords);
    };
  }

  #test(value: Expression): Expression {
    const { line } = this.token;
    const negated = this.skip("name", "not");
    const name = this.#dottedName();
    if (!hasTest(name)) this.refuse(`the test "${name.slice(0, 60)}"`, line);
    let { evaluate } = noArguments;
    const begins =
      ["name", "string", "integer", "float"].includes(this.token.kind) || /^[[{]$/.test(this.token.value);
    if (this.is("operator", "(")) ({ evaluate } = this.arguments());
    else if (begins && !(this.is("name") && /^(else|or|and)$/.test(this.token.value))) {
      if (this.is("name", "is")) this.wrong("You cannot chain multiple tests with is");
      const operand = this.postfix(this.primary());
      evaluate = (scope) => ({ args: [operand(scope)], keywords: new Map() });
    }
    return (scope) => {
      const subject = value(scope);
      const { args, keywords } = evaluate(scope);
      return applyTest(scope.run, name, subject, args, keywords) !== negated;
    };
  }
}

function invoke(target: Value, args: readonly Value[], keywords: Keywords): Value {
  if (target instanceof Undefined) return fail(target.hint);
  if (target instanceof Thing && target.call) return target.call(args, keywords);
  return fail(`'${typeName(target)}' object is not callable`);
}
