// A server on loopback for a test, and requests to it.
import { onTestFinished } from "vitest";
import type { Model } from "../../engine/node.ts";
import { createService, listen, type Service, type ServiceOptions } from "../../server/index.ts";

export interface Serving {
  readonly url: string;
  readonly port: number;
  readonly service: Service;
  readonly log: Record<string, unknown>[];
  readonly close: (drainMs?: number) => Promise<void>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
}

/** Serves until the test is finished. */
export async function serving(model: Model, options: Partial<ServiceOptions> = {}): Promise<Serving> {
  const log: Record<string, unknown>[] = [];
  const service = createService(model, {
    name: "paper",
    log: (line) => log.push({ ...line }),
    ...options,
  });
  const { url, port, close } = await listen(service, { host: "127.0.0.1", port: 0 });
  let closed: Promise<void> | undefined;
  const end = (drainMs = 0) => {
    closed ??= close({ drainMs });
    return closed;
  };
  onTestFinished(() => end());
  return {
    url,
    port,
    service,
    log,
    close: end,
    get: (path, headers = {}) => fetch(url + path, { headers }),
    post: (path, body, init = {}) =>
      fetch(url + path, {
        method: "POST",
        ...init,
        headers: { "Content-Type": "application/json", ...init.headers },
        body:
          typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
      }),
  };
}

export const HELLO = { messages: [{ role: "user", content: "Hello" }] } as const;

/** The data of each event, as JSON if it is JSON. */
export function eventsOf(text: string): unknown[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length))
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
}

/** Waits until `holds`, for at most 20 s. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A gate that is shut until it is opened. */
export function gate(): { readonly wait: () => Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => opened, open: () => open() };
}
