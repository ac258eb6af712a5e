// The SHA-256 that a server states for a file.
import { CheckpointError } from "../errors.ts";
import { hex } from "../integrity/sha256.ts";
import { isObject } from "../json.ts";
import { type HttpOptions, networkFault, request, withRetries } from "./http.ts";

/**
 * The digest of the whole file in Repr-Digest (RFC 9530), in hex. CORS hides the header unless it is exposed.
 */
export function statedDigest({ headers }: Response): string | undefined {
  const [, base64] = /\bsha-256=:([A-Za-z0-9+/]{43}=):/.exec(headers.get("repr-digest") ?? "") ?? [];
  return base64 && hex(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}

/**
 * The files that a Hub lists, with the digests of those in LFS. `base` has the form
 * …/owner/name/resolve/revision or …/revision/folder.
 * @returns an empty map for other addresses, and if the server has no such list
 */
export async function hubDigests(
  base: URL,
  options: HttpOptions,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string | undefined>> {
  const digests = new Map<string, string | undefined>();
  const [, repository, path = ""] = /^\/([^/]+\/[^/]+)\/resolve\/(.+?)\/*$/.exec(base.pathname) ?? [];
  if (repository === undefined) return digests;
  const [first = "", ...inner] = path.split("/");
  const folder = inner.map((name) => `${decodeURIComponent(name)}/`).join("");
  // In an address a slash may belong to the revision, too.
  const whole = encodeURIComponent(decodeURIComponent(path));
  const places = [
    { tree: whole, folder: "" },
    ...(folder ? [{ tree: [first, ...inner].join("/"), folder }] : []),
  ];
  for (const { tree, folder } of places) {
    const url = new URL(`/api/models/${repository}/tree/${tree}`, base.origin);
    try {
      const entries = await withRetries(url.href, options, signal, async (one): Promise<unknown> => {
        const response = await request(url.href, url, {}, options, one);
        return response.json().catch((cause: unknown) => {
          throw networkFault(cause, one.signal);
        });
      });
      for (const entry of Array.isArray(entries) ? entries : []) {
        const { path, lfs } = isObject(entry) ? entry : {};
        const oid = isObject(lfs) && lfs["oid"];
        if (typeof path === "string" && path.startsWith(folder))
          digests.set(path.slice(folder.length), typeof oid === "string" ? oid : undefined);
      }
      return digests;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }
  return digests;
}
