/**
 * A module worker whose script is on another host. A worker's script must have the page's origin; the modules
 * that it imports need not.
 */
export function foreignWorker({ href }: URL, name: string): Worker {
  const script = new Blob([`import ${JSON.stringify(href)}`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(script), { type: "module", name });
}
