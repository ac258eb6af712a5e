// A lock on a stored model: one tab at a time loads and holds it. https://w3c.github.io/web-locks/
import { ModelInUseError } from "../errors.ts";

/** A worker that was just terminated may still hold its lock this long. */
const PATIENCE_MS = 1000;

/** The exclusive right to a stored model, until it is released or taken over. */
export interface Lease {
  /** Aborted with a ModelInUseError when another tab takes over. */
  readonly signal: AbortSignal;
  release(): void;
}

/** @throws ModelInUseError if another tab has it and `takeOver` is not set */
export function takeLease(name: string, takeOver: boolean): Promise<Lease> {
  const { locks } = navigator;
  const taken = new AbortController();
  if (!locks) return Promise.resolve({ signal: taken.signal, release() {} });
  return new Promise((resolve, reject) => {
    let granted = false;
    const hold = (): Promise<void> => {
      granted = true;
      return new Promise((release) => resolve({ signal: taken.signal, release }));
    };
    const options: LockOptions = takeOver ? { steal: true } : { signal: AbortSignal.timeout(PATIENCE_MS) };
    locks.request(`sirocco:${name}`, options, hold).catch(() => {
      if (granted) taken.abort(takenOver(name));
      else reject(inUse(name));
    });
  });
}

export const inUse = (name: string, options?: ErrorOptions): ModelInUseError =>
  new ModelInUseError(
    `${name}: expected a model that nobody else has loaded, got one that another tab or worker uses. Close it there, or load with takeOver: true.`,
    { code: "in-use", ...options },
  );

const takenOver = (name: string): ModelInUseError =>
  new ModelInUseError(
    `${name}: expected to be the only one with this model, but another tab took it over. Load it again with takeOver: true to have it back.`,
    { code: "taken-over" },
  );
