// nginx with the configuration of deploy/nginx, with other addresses and folders, in front of replicas, which
// are processes.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNginx } from "../../scripts/nginx.mjs";

const CONFIGURATION = fileURLToPath(new URL("../../deploy/nginx/nginx.conf", import.meta.url));

export interface Counts {
  /**
   * Requests for an answer that came, were not refused, and were left by their client; bytes of long answers.
   */
  readonly asked: number;
  readonly taken: number;
  readonly gone: number;
  readonly bytes: number;
  /** Answers that wait for `set("release")`. */
  readonly held: number;
}

export interface Replica {
  readonly name: string;
  readonly port: number;
  set(message: "ready" | "full" | "draining" | "release" | "counts"): Promise<Counts>;
  /** Kills the process, as a crash would. */
  kill(): Promise<void>;
}

export async function startReplica(name: string, port = 0): Promise<Replica> {
  const program = fileURLToPath(new URL("replica.mjs", import.meta.url));
  const child = fork(program, [String(port), name], { execArgv: [] });
  const answer = () => new Promise<never>((resolve) => child.once("message", resolve as never));
  const { port: listening }: { port: number } = await answer();
  return {
    name,
    port: listening,
    set(message) {
      const counts = answer();
      child.send(message);
      return counts;
    },
    kill: () => end(child, "SIGKILL"),
  };
}

export interface Nginx {
  readonly url: string;
  log(name: "error.log" | "sirocco.log"): Promise<string>;
  close(): Promise<void>;
}

export async function startNginx(replicas: readonly { readonly port: number }[]): Promise<Nginx> {
  const nginx = findNginx();
  if ("why" in nginx) throw new Error(`nginx: ${nginx.why}`);
  const folder = await mkdtemp(join(tmpdir(), "sirocco-nginx-"));
  const port = await freePort();
  const text = await readFile(CONFIGURATION, "utf8");
  await writeFile(join(folder, "nginx.conf"), placed(text, folder, port, replicas));
  const args = ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")];
  const child = spawn(nginx.path, [...args, "-g", "daemon off;"], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  const url = `http://127.0.0.1:${port}`;
  const log = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
  for (let tries = 0; !(await answers(url)); tries++) {
    if (child.exitCode !== null || tries > 200) {
      await end(child, "SIGKILL");
      throw new Error(`nginx did not start: ${said}${await log("error.log")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    url,
    log,
    async close() {
      await end(child, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The configuration with other addresses, and its files in a temporary folder. */
function placed(
  text: string,
  folder: string,
  port: number,
  replicas: readonly { readonly port: number }[],
): string {
  const servers = /^ *server (127\.0\.0\.1:8001)( [^;]*)?;.*\n *server 127\.0\.0\.1:8002.*\n/gm;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  return text
    .replace(servers, (_, __, options) =>
      replicas.map((each) => `server 127.0.0.1:${each.port}${options ?? ""};\n`).join(""),
    )
    .replace("listen 80;", `listen 127.0.0.1:${port};`)
    .replace("user www-data;", `user ${userInfo().username};`)
    .replace("/run/nginx.pid", `${folder}/nginx.pid`)
    .replaceAll("/var/log/nginx", folder)
    .replace("http {", `http { ${temporary}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/`).then(
    (response) => response.text().then(() => true),
    () => false,
  );

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}
