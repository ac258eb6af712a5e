// The parser of statements, which are compiled to functions that append to the output.
import { ExpressionParser } from "./expressions.ts";
import { Namespace } from "./globals.ts";
import { filterItems, Loop } from "./loop.ts";
import { makeMacro, type Parameter } from "./macro.ts";
import { fail } from "./meter.ts";
import { isConstant } from "./operands.ts";
import { captured, type Ending, inTurn, print, printed, type Statement, scoped, written } from "./output.ts";
import { type Expression, type Scope, type Target, unpacked } from "./scope.ts";
import { joined } from "./text.ts";
import { isTrue, iterate, lengthOf, Stream, type Thing, type Value } from "./values.ts";

/** Tags of jinja2 that are not supported. */
const refusedTags = /^(include|import|from|extends|block|do|trans|pluralize|debug)$/;

export class StatementParser extends ExpressionParser {
  #loops = 0;

  template(): Statement {
    return this.#body([]);
  }

  /** Parses statements up to one of these tags. The tag's name is the next token then. */
  #body(ends: readonly string[]): Statement {
    const statements: Statement[] = [];
    for (;;) {
      if (this.is("eof")) {
        if (ends.length === 0) return inTurn(statements);
        this.wrong(`expected '${ends.at(-1)}'`);
      }
      const { value } = this.token;
      if (this.skip("text")) statements.push(written(value));
      else if (this.next().value === "{{") {
        statements.push(printed(this.expressions()));
        this.expect("end");
      } else if (this.is("name") && ends.includes(this.token.value)) return inTurn(statements);
      else statements.push(this.nested(() => this.#statement()));
    }
  }

  /** Parses a body and its end tag. */
  #block(end: string): Statement {
    this.expect("end");
    const body = this.#body([end]);
    this.next();
    this.expect("end");
    return body;
  }

  #statement(): Statement {
    const { value: tag, line } = this.expect("name");
    switch (tag) {
      case "for":
        return this.#for();
      case "if":
        return this.#if();
      case "set":
        return this.#set();
      case "macro":
        return this.#macro();
      case "call":
        return this.#callBlock();
      case "with":
        return this.#with();
      case "filter":
        return this.#filterBlock();
      case "generation":
        return this.#outsideLoops(() => scoped(this.#block("endgeneration")));
      case "autoescape":
        return this.#autoescape(line);
      case "print":
        return this.#print();
      case "break":
      case "continue":
        if (this.#loops === 0) fail(`line ${line}: '${tag}' outside loop`);
        this.expect("end");
        return () => tag;
      default:
        if (refusedTags.test(tag)) return this.refuse(`the tag "${tag}"`, line);
        return fail(`line ${line}: Encountered unknown tag '${tag.slice(0, 60)}'`);
    }
  }

  /** Parses a body that is outside of any loop: `break` is refused in it. */
  #outsideLoops<T>(action: () => T): T {
    const loops = this.#loops;
    this.#loops = 0;
    const result = action();
    this.#loops = loops;
    return result;
  }

  #target(end: string, fields = false): Target {
    const targets: Target[] = [];
    let isTuple = false;
    while (!this.is("name", end) && !this.is("operator", end) && !this.is("end")) {
      targets.push(this.#oneTarget(fields));
      if (!this.skip("operator", ",")) break;
      isTuple = true;
    }
    const [only] = targets;
    if (!only) return this.wrong("expected a name");
    return isTuple ? unpacked(targets) : only;
  }

  #oneTarget(fields: boolean): Target {
    if (this.skip("operator", "(")) {
      const inner = this.nested(() => this.#target(")"));
      this.expect("operator", ")");
      return inner;
    }
    const { value: name, line } = this.expect("name");
    if (isConstant(name)) fail(`line ${line}: can't assign to '${name}'`);
    if (!fields || !this.skip("operator", ".")) return (scope, value) => scope.set(name, value);
    const { value: field } = this.expect("name");
    this.names.add(name);
    return (scope, value) => {
      const space = scope.get(name);
      if (!(space instanceof Namespace)) fail("cannot assign attribute on non-namespace object");
      else space.attributes.set(field, value);
    };
  }

  #for(): Statement {
    const target = this.#target("in");
    this.expect("name", "in");
    const items = this.expressions(false);
    const test = this.skip("name", "if") ? this.expression() : undefined;
    const recursive = this.skip("name", "recursive");
    this.expect("end");
    this.#loops++;
    const body = this.#body(["else", "endfor"]);
    this.#loops--;
    let otherwise: Statement | undefined;
    if (this.next().value === "else") otherwise = this.#block("endfor");
    else this.expect("end");

    const run = (scope: Scope, out: string[], value: Value, depth: number): Ending => {
      const again = recursive
        ? ([inner]: readonly Value[]): Value => {
            const parts: string[] = [];
            run(scope, parts, inner ?? null, depth + 1);
            return joined(scope.run, parts, "");
          }
        : undefined;
      const known = test || value instanceof Stream ? undefined : lengthOf(value);
      scope.run.meter.step(known ?? 0);
      const loop = new Loop(
        scope.run,
        test ? filterItems(scope, value, target, test) : iterate(value),
        known,
        depth,
        again,
      );
      let ran = false;
      for (let item = loop.next(); item !== undefined; item = loop.next()) {
        scope.run.meter.step(4);
        const inner = scope.inner([["loop", loop]]);
        target(inner, item);
        const ending = body(inner, out);
        if (ending === "break") break;
        ran ||= ending === undefined;
      }
      return ran ? undefined : otherwise?.(scope.inner(), out);
    };
    return (scope, out) => run(scope, out, items(scope), 0);
  }

  #if(): Statement {
    const branches: { test: Expression; body: Statement }[] = [];
    for (;;) {
      const test = this.expressions(false);
      this.expect("end");
      branches.push({ test, body: this.#body(["elif", "else", "endif"]) });
      const { value } = this.next();
      if (value === "elif") continue;
      let otherwise: Statement | undefined;
      if (value === "else") otherwise = this.#block("endif");
      else this.expect("end");
      return (scope, out) => {
        for (const { test, body } of branches) {
          scope.run.meter.step();
          if (isTrue(test(scope))) return body(scope, out);
        }
        return otherwise?.(scope, out);
      };
    }
  }

  #set(): Statement {
    const target = this.#target("=", true);
    if (this.skip("operator", "=")) {
      const value = this.expressions();
      this.expect("end");
      return (scope) => {
        scope.run.meter.step();
        target(scope, value(scope));
        return undefined;
      };
    }
    const { shared, change } = this.#filtersOfBlock(this.skip("operator", "|"));
    const body = this.#outsideLoops(() => this.#block("endset"));
    return (scope) => {
      shared.value = captured(scope.inner(), body);
      target(scope, change(scope));
      return undefined;
    };
  }

  /**
   * Parses filters of a block's text. To apply them, set `shared.value` to the text and evaluate `change`.
   */
  #filtersOfBlock(any: boolean): { shared: { value: Value }; change: Expression } {
    const shared: { value: Value } = { value: "" };
    let change: Expression = () => shared.value;
    if (any) {
      do change = this.filter(change);
      while (this.skip("operator", "|"));
    }
    return { shared, change };
  }

  #filterBlock(): Statement {
    const { shared, change } = this.#filtersOfBlock(true);
    const body = this.#outsideLoops(() => this.#block("endfilter"));
    return (scope, out) => {
      shared.value = captured(scope.inner(), body);
      return print(scope, out, change(scope));
    };
  }

  #with(): Statement {
    const pairs: [Target, Expression][] = [];
    while (!this.is("end")) {
      if (pairs.length > 0) this.expect("operator", ",");
      const target = this.#oneTarget(false);
      this.expect("operator", "=");
      pairs.push([target, this.expression()]);
    }
    const body = this.#block("endwith");
    return (scope, out) => {
      const inner = scope.inner();
      const values = pairs.map(([, value]) => value(scope));
      pairs.forEach(([target], i) => {
        target(inner, values[i] as Value);
      });
      return body(inner, out);
    };
  }

  #autoescape(line: number): Statement {
    if (!this.is("name", "false") && !this.is("name", "False")) this.refuse('the tag "autoescape"', line);
    this.next();
    return scoped(this.#block("endautoescape"));
  }

  #print(): Statement {
    const parts: Statement[] = [];
    while (!this.is("end")) {
      if (parts.length > 0) this.expect("operator", ",");
      parts.push(printed(this.expression()));
    }
    this.expect("end");
    return inTurn(parts);
  }

  #parameters(): Parameter[] {
    const parameters: Parameter[] = [];
    if (!this.skip("operator", "(")) return parameters;
    while (!this.is("operator", ")")) {
      if (parameters.length > 0) this.expect("operator", ",");
      const { value: name, line } = this.expect("name");
      const fallback = this.skip("operator", "=") ? this.expression() : undefined;
      if (!fallback && parameters.at(-1)?.fallback) {
        fail(`line ${line}: non-default argument follows default argument`);
      }
      parameters.push({ name, fallback });
    }
    this.next();
    return parameters;
  }

  /** Parses the body up to `end`. The names that it reads decide which arguments the macro accepts. */
  #definition(name: string, parameters: readonly Parameter[], end: string): (scope: Scope) => Thing {
    const around = this.names;
    this.names = new Set();
    const body = this.#outsideLoops(() => this.#block(end));
    const read = this.names;
    this.names = new Set([...around, ...read]);
    return (scope) => makeMacro(scope, { name, parameters, read, body: (inner) => captured(inner, body) });
  }

  #macro(): Statement {
    const { value: name } = this.expect("name");
    const define = this.#definition(name, this.#parameters(), "endmacro");
    return (scope) => {
      scope.set(name, define(scope));
      return undefined;
    };
  }

  #callBlock(): Statement {
    const parameters = this.#parameters();
    const { line } = this.token;
    const call = this.callOf(this.expression());
    if (!call) return fail(`line ${line}: expected call`);
    const define = this.#definition("caller", parameters, "endcall");
    return (scope, out) => print(scope, out, call(scope, ["caller", define(scope)]));
  }
}
