// What a worker of the CPU device does with its messages.
import { instantiate } from "../../kernels/cpu/compiled.ts";
import type { Answer, Command } from "./commands.ts";
import { Executor } from "./executor.ts";
import type { Start } from "./threads.ts";

/** Takes the messages of a worker's port: a `Start`, then commands. */
export function serveThread(
  answer: (answer: Answer, transfer: ArrayBuffer[]) => void,
): (message: Start | Command) => void {
  let executor: Executor | undefined;
  return (message) => {
    if (executor) executor.execute(message as Command);
    else {
      const { modules, ...start } = message as Start;
      executor = new Executor({
        ...start,
        instantiate: (memory) => instantiate(modules, memory),
        answer: (given) => answer(given, given.type === "read" && given.data ? [given.data] : []),
      });
    }
  };
}
