/** The exports of the compiled modules. */
export type Compiled = Readonly<Record<never, never>>;
