/**
 * A module worker whose script is on another host. A worker's script must have the page's origin; the modules
 * that it imports need not.
 */
export function foreignWorker({ href }: URL, name: string): Worker {
  const script = new Blob([`import ${JSON.stringify(href)}`], { type: "text/javascript" });
  const url = scripts.get(href) ?? URL.createObjectURL(script);
  scripts.set(href, url);
  return new Worker(url, { type: "module", name });
}

/** Addresses of scripts by what they import. They are kept, as a worker may fetch its script late. */
const scripts = new Map<string, string>();
