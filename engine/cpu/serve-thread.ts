// What a worker of the CPU device does with its messages.
import { instantiate } from "../../kernels/cpu/compiled.ts";
import { BARRIER_BYTES, Barrier } from "./barrier.ts";
import type { Answer, Command } from "./commands.ts";
import { Executor } from "./executor.ts";
import { Portions } from "./portions.ts";
import type { Start } from "./threads.ts";

/** Takes the messages of a worker's port: a `Start`, then commands. */
export function serveThread(
  answer: (answer: Answer, transfer: ArrayBuffer[]) => void,
): (message: Start | Command) => void {
  let executor: Executor | undefined;
  return (message) => {
    if (executor) executor.execute(message as Command);
    else {
      const { index, count, shared, modules } = message as Start;
      executor = new Executor({
        index,
        team: shared && {
          barrier: new Barrier(shared, count),
          portions: new Portions(shared, BARRIER_BYTES, index, count),
        },
        instantiate: (memory) => instantiate(modules, memory),
        answer: (given) => answer(given, given.type === "read" && given.data ? [given.data] : []),
      });
    }
  };
}
