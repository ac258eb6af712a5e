// Operators of expressions, read with jinja2's precedences and made into functions.
import { compare, contains, equal } from "./compare.ts";
import { OperandParser } from "./operands.ts";
import { binary, negate } from "./operators.ts";
import type { Expression, Scope } from "./scope.ts";
import { joined, text } from "./text.ts";
import { isTrue, Tuple, Undefined, type Value } from "./values.ts";

type Order = (order: number) => boolean;
const orders: Readonly<Record<string, Order>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** Parses expressions; StatementParser adds statements. */
export class ExpressionParser extends OperandParser {
  expressions(conditional = true, explicit = false): Expression {
    const parts: Expression[] = [];
    let isTuple = false;
    while (
      !(this.is("end") || this.is("operator", ")") || (parts.length > 0 && this.is("name", "recursive")))
    ) {
      parts.push(this.expression(conditional));
      this.limit(parts.length);
      if (!this.skip("operator", ",")) break;
      isTuple = true;
    }
    const [only] = parts;
    if (only && !isTuple) return only;
    if (!only && !explicit) return this.wrong("Expected an expression");
    return this.many(parts, (items) => new Tuple(items));
  }

  expression(conditional = true): Expression {
    return this.nested(() => (conditional ? this.#conditional() : this.#or()));
  }

  #conditional(): Expression {
    let chosen = this.#or();
    for (let length = 0; this.skip("name", "if"); this.limit(++length)) {
      const [then, test] = [chosen, this.#or()];
      const otherwise = this.skip("name", "else") ? this.nested(() => this.#conditional()) : undefined;
      chosen = (scope) => {
        scope.run.meter.step();
        if (isTrue(test(scope))) return then(scope);
        return otherwise ? otherwise(scope) : new Undefined("the inline if-expression has no else section");
      };
    }
    return chosen;
  }

  /** Left-associative operators between operands. */
  #chain(operand: () => Expression, operator: () => string | undefined, make: Make): Expression {
    let left = operand();
    let length = 0;
    for (let found = operator(); found !== undefined; found = operator()) {
      this.limit(++length);
      left = make(found, left, operand());
    }
    return left;
  }

  #word(word: string): () => string | undefined {
    return () => (this.skip("name", word) ? word : undefined);
  }

  #operator(...operators: readonly string[]): () => string | undefined {
    return () =>
      this.token.kind === "operator" && operators.includes(this.token.value) ? this.next().value : undefined;
  }

  #or(): Expression {
    return this.#chain(
      () => this.#and(),
      this.#word("or"),
      (_, left, right) => (scope) => {
        const value = left(scope);
        return isTrue(value) ? value : right(scope);
      },
    );
  }

  #and(): Expression {
    return this.#chain(
      () => this.#not(),
      this.#word("and"),
      (_, left, right) => (scope) => {
        const value = left(scope);
        return isTrue(value) ? right(scope) : value;
      },
    );
  }

  #not(): Expression {
    if (!this.skip("name", "not")) return this.#comparison();
    const operand = this.nested(() => this.#not());
    return (scope) => !isTrue(operand(scope));
  }

  #comparison(): Expression {
    const first = this.#sum();
    const rest: [operator: string, operand: Expression][] = [];
    for (;;) {
      const operator = this.#comparator();
      if (operator === undefined) break;
      rest.push([operator, this.#sum()]);
      this.limit(rest.length);
    }
    if (rest.length === 0) return first;
    return (scope) => {
      let left = first(scope);
      for (const [operator, operand] of rest) {
        const right = operand(scope);
        if (!holds(scope, operator, left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  #comparator(): string | undefined {
    const found = this.#operator("==", "!=", "<", "<=", ">", ">=")();
    if (found !== undefined) return found;
    if (this.skip("name", "in")) return "in";
    const after = this.after;
    if (!this.is("name", "not") || after?.kind !== "name" || after.value !== "in") return undefined;
    this.next();
    this.next();
    return "not in";
  }

  #sum(): Expression {
    return this.#chain(() => this.#concatenation(), this.#operator("+", "-"), calculated);
  }

  #concatenation(): Expression {
    const parts = [this.#product()];
    while (this.skip("operator", "~")) {
      parts.push(this.#product());
      this.limit(parts.length);
    }
    const [only] = parts;
    if (only && parts.length === 1) return only;
    return (scope) => {
      const { run } = scope;
      run.meter.step();
      return joined(
        run,
        parts.map((part) => text(run, part(scope))),
        "",
      );
    };
  }

  #product(): Expression {
    return this.#chain(() => this.#power(), this.#operator("*", "/", "//", "%"), calculated);
  }

  #power(): Expression {
    return this.#chain(() => this.#unary(), this.#operator("**"), calculated);
  }

  #unary(filters = true): Expression {
    const sign = this.#operator("-", "+")();
    let value: Expression;
    if (sign === undefined) value = this.primary();
    else {
      const operand = this.nested(() => this.#unary(false));
      value = (scope) => negate(operand(scope), sign === "-" ? -1 : 1);
    }
    value = this.postfix(value);
    return filters ? this.filters(value) : value;
  }
}

type Make = (operator: string, left: Expression, right: Expression) => Expression;

const calculated: Make = (operator, left, right) => (scope) => {
  scope.run.meter.step();
  const a = left(scope);
  return binary(scope.run, operator, a, right(scope));
};

function holds({ run: { meter } }: Scope, operator: string, left: Value, right: Value): boolean {
  if (operator === "==") return equal(meter, left, right);
  if (operator === "!=") return !equal(meter, left, right);
  if (operator.endsWith("in")) return contains(meter, right, left) === (operator === "in");
  return orders[operator]?.(compare(meter, left, right, operator)) ?? false;
}
