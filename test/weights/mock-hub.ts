// A Hugging Face Hub on loopback: the API calls and the resolve address that the hub source uses.
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { type Handler, type Loopback, sendFile, serve } from "./loopback.ts";

export interface MockHub extends Loopback {
  /** The commit of `main`. */
  commit: string;
  files: Record<string, Uint8Array>;
  /** Called first for every download; returns true if it has answered. */
  intercept: ((file: string, ...rest: Parameters<Handler>) => boolean) | undefined;
  /** Answers every request with this status. */
  status: number | undefined;
  /** The required token. */
  token: string | undefined;
}

export const REPOSITORY = "owner/tiny";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const gitSha = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

export async function mockHub(files: Record<string, Uint8Array>): Promise<MockHub> {
  const answer: Handler = async (request, response, count) => {
    const path = decodeURIComponent(new URL(request.url ?? "", "http://x").pathname);
    const fail = (status: number): void => {
      response.writeHead(status, { "content-type": "application/json" }).end('{"error":"no"}');
    };
    if (hub.status !== undefined) return fail(hub.status);
    if (hub.token !== undefined && request.headers.authorization !== `Bearer ${hub.token}`) return fail(401);
    if (
      path === `/api/models/${REPOSITORY}/revision/main` ||
      path === `/api/models/${REPOSITORY}/revision/${hub.commit}`
    ) {
      return response.end(
        JSON.stringify({ _id: "1", id: REPOSITORY, sha: hub.commit, lastModified: "2026-01-01" }),
      );
    }
    if (path === `/api/models/${REPOSITORY}/paths-info/${hub.commit}`) {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { paths } = JSON.parse(body) as { paths: string[] };
      const infos = paths.flatMap((name) => info(name, hub.files[name]) ?? []);
      return response.end(JSON.stringify(infos));
    }
    const tree = `/api/models/${REPOSITORY}/tree/${hub.commit}`;
    if (path === tree || path.startsWith(`${tree}/`)) {
      const folder = path.slice(tree.length + 1);
      const within = Object.entries(hub.files).filter(([name]) => dirname(name) === (folder || "."));
      return response.end(JSON.stringify(within.map(([name, bytes]) => info(name, bytes))));
    }
    const resolved = `/${REPOSITORY}/resolve/${hub.commit}/`;
    const name = path.startsWith(resolved) ? path.slice(resolved.length) : undefined;
    const file = name === undefined ? undefined : hub.files[name];
    if (name === undefined || !file) return fail(404);
    if (hub.intercept?.(name, request, response, count)) return undefined;
    return sendFile(request, response, file);
  };
  const hub: MockHub = Object.assign(await serve(answer), {
    commit: "c".repeat(40),
    files,
    intercept: undefined,
    status: undefined,
    token: undefined,
  });
  return hub;
}

/** As on the Hub: weights are LFS files with a SHA-256, other files are in git. */
function info(path: string, bytes: Uint8Array | undefined): object | undefined {
  if (!bytes) return undefined;
  const common = { path, type: "file", size: bytes.length, oid: gitSha(bytes) };
  if (!path.endsWith(".safetensors")) return common;
  return {
    ...common,
    oid: "f".repeat(40),
    lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 },
  };
}
