// Runs checks in a process. If it dies of one, that check fails, and the next one gets a new process.
import { checks, type Suite } from "./checks.ts";
import type { Process } from "./processes.ts";

/** A check takes seconds, or half a minute beside other tests. A process that takes longer is ended. */
const ANSWER_MS = 100_000;

export class Host {
  /** Indices of the checks that can run there. */
  readonly able: Process["able"];
  readonly #start: () => Promise<Process>;
  readonly #answerMs: number;
  #process: Process | undefined;

  private constructor(start: () => Promise<Process>, process: Process, answerMs: number) {
    this.able = process.able;
    this.#start = start;
    this.#answerMs = answerMs;
    this.#process = process;
  }

  static async open(start: () => Promise<Process>, answerMs = ANSWER_MS): Promise<Host> {
    return new Host(start, await start(), answerMs);
  }

  /** @throws Error if the check fails, or the process dies of it */
  async run(suite: Suite, index: number): Promise<void> {
    this.#process ??= await this.#start();
    let problem: string | undefined;
    try {
      problem = await within(this.#answerMs, this.#process.run(suite, index));
    } catch (error) {
      await this.close();
      const { name } = checks[suite][index] ?? {};
      throw new Error(`The process died while it ran ${suite} ${name}: ${(error as Error).message}`);
    }
    if (problem) throw new Error(problem);
  }

  async close(): Promise<void> {
    await this.#process?.close();
    this.#process = undefined;
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
