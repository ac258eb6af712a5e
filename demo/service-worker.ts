// Stores the site's own files, so that a visit works offline. The network has priority; the stored files are
// the fallback.
export {};

/**
 * The parts of https://w3c.github.io/ServiceWorker/ used here. TypeScript cannot mix its types of pages and
 * workers.
 */
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate" | "message", listener: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}
const scope = globalThis as unknown as Scope;

const KEPT = "sirocco-site";

scope.addEventListener("install", () => void scope.skipWaiting());
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));

// Every visit sends this message: a new build of the site has other files.
scope.addEventListener("message", (event) => event.waitUntil(keep().catch(() => {})));

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  // Weights are fetched by ranges and stored elsewhere.
  if (request.method !== "GET" || request.headers.has("range")) return;
  if (new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});

async function answer(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(KEPT);
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

/** Fetches files that are missing, and deletes those that the site no longer has. */
async function keep(): Promise<void> {
  const list = await fetch("./site-files.json", { cache: "no-store" });
  const files: string[] = await list.json();
  const wanted = new Set(files.map((file) => new URL(file, location.href).href));
  const cache = await caches.open(KEPT);
  const kept = new Set<string>();
  for (const request of await cache.keys()) {
    kept.add(request.url);
    if (!wanted.has(request.url)) await cache.delete(request);
  }
  // The page has the same name in every build.
  const page = new URL("./", location.href).href;
  await cache.addAll([...wanted].filter((url) => url === page || !kept.has(url)));
}
