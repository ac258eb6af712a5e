// The threads that a CPU device computes on, as it sees them: somewhere to post commands to.
import type { Compiled } from "../../kernels/cpu/compiled.ts";
import { BARRIER_BYTES } from "./barrier.ts";
import type { Answer, Command, FirstCommand, SharedCommand } from "./commands.ts";
import { Executor, type ExecutorOptions } from "./executor.ts";
import { PORTIONS_BYTES } from "./portions.ts";

export interface Threads {
  readonly count: number;
  /** Whether heaps are memories that the caller makes, shared by all threads. */
  readonly sharesMemory: boolean;
  /** Called with each answer, and with the reason if a thread fails: then nothing is answered any more. */
  listen(onAnswer: (answer: Answer) => void, onFailure: (reason: string) => void): void;
  toAll(command: SharedCommand): void;
  toFirst(command: FirstCommand, transfer?: ArrayBuffer[]): void;
  /** Whether an answer is awaited: only then do threads keep a process alive. */
  await(awaited: boolean): void;
  end(): void;
}

/** What a thread needs to begin. */
export interface Start extends Pick<ExecutorOptions, "index" | "count" | "shared"> {
  readonly modules: readonly WebAssembly.Module[];
}

/** A worker of the browser or of Node. */
export interface Port {
  post(message: Start | Command, transfer: ArrayBuffer[]): void;
  listen(onMessage: (message: Answer) => void, onFailure: (reason: string) => void): void;
  await(awaited: boolean): void;
  end(): void;
}

/** Threads in workers, whose first message is their `Start`. */
export function workerThreads(ports: readonly Port[], modules: readonly WebAssembly.Module[]): Threads {
  const count = ports.length;
  const shared = count > 1 ? new SharedArrayBuffer(BARRIER_BYTES + PORTIONS_BYTES) : undefined;
  ports.forEach((port, index) => {
    port.post({ index, count, shared, modules }, []);
  });
  return {
    count,
    sharesMemory: count > 1,
    listen: (onAnswer, onFailure) => {
      for (const port of ports) port.listen(onAnswer, onFailure);
    },
    toAll: (command) => {
      for (const port of ports) port.post(command, []);
    },
    toFirst: (command, transfer = []) => ports[0]!.post(command, transfer),
    await: (awaited) => ports[0]!.await(awaited),
    end: () => {
      for (const port of ports) port.end();
    },
  };
}

/** Computes on the caller's thread, at each submit. Answers come in a later turn of its event loop. */
export function ownThread(instantiate: (memory: WebAssembly.Memory) => Compiled): Threads {
  let onAnswer: (answer: Answer) => void = () => {};
  const executor = new Executor({
    ...{ index: 0, count: 1, shared: undefined, instantiate },
    answer: (given) => later(() => onAnswer(given)),
  });
  return {
    count: 1,
    sharesMemory: false,
    listen: (listener) => {
      onAnswer = listener;
    },
    toAll: (command) => executor.execute(command),
    toFirst: (command) => executor.execute(command),
    await: () => {},
    end: () => {},
  };
}

const later = (task: () => void): void => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    task();
  };
  port2.postMessage(undefined);
};
