// The Dockerfile is not built here: its paths must exist, and its options and ports must be the server's.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CONFIGS, SOURCES } from "../../scripts/build.mjs";
import { paperServer, parseServe, readText } from "./served.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const lines = readText("deploy/docker/Dockerfile")
  .replace(/\\\n/g, " ")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"));
const all = (instruction: string): string[] =>
  lines
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));
const ignored = readText("deploy/docker/Dockerfile.dockerignore").split("\n");
const sent = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));

describe("Dockerfile", () => {
  it("is sent what the build reads, all of which is there", () => {
    expect(ignored).toContain("*");
    expect(sent.filter((path) => !existsSync(root + path))).toEqual([]);
    const needed = [...SOURCES, ...CONFIGS, "demo"].map((path) => path.split("/", 1)[0]!);
    expect(needed.filter((path) => !sent.includes(path))).toEqual([]);
  });

  it("copies what was sent or built", () => {
    const [built, own] = [true, false].map((from) =>
      all("COPY")
        .filter((line) => line.startsWith("--from=build") === from)
        .flatMap((line) => line.split(" ").slice(from ? 1 : 0, -1)),
    );
    expect(own!.filter((path) => path !== "." && !sent.includes(path))).toEqual([]);
    const made = ["node_modules", "dist", ...sent].map((path) => `/app/${path}`);
    expect(built!.filter((path) => !made.includes(path))).toEqual([]);
    // Node reads there that the files of dist/ are modules.
    expect(built).toContain("/app/package.json");
  });

  it("starts the command with options that it knows, on the port that it names", () => {
    expect(JSON.parse(all("ENTRYPOINT")[0]!)).toEqual(["node", "/app/dist/cli/main.js"]);
    const options = parseServe(JSON.parse(all("CMD")[0]!));
    expect(options).toMatchObject({ host: "0.0.0.0", apiKeyFile: "/run/secrets/sirocco-keys" });
    expect(all("EXPOSE")).toEqual([String(options["port"])]);
    expect(all("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(all("USER")).toEqual(["node"]);
  });

  it("is healthy where /health is 200, and only then", async () => {
    const [, command] = /CMD (\[.*\])/.exec(all("HEALTHCHECK")[0]!)!;
    const [program, ...args] = JSON.parse(command!) as [string, ...string[]];
    expect(program).toBe("node");
    const [, path] = /127\.0\.0\.1:8000(\/\w+)/.exec(args.join(" "))!;
    expect(await paperServer().get(path!)).toBe(200);
    let status = 200;
    const server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const check = () =>
      new Promise((resolve) => {
        const here = args.map((arg) => arg.replace(":8000", `:${port}`));
        spawn(process.execPath, here, { stdio: "ignore" }).on("exit", resolve);
      });
    expect(await check()).toBe(0);
    status = 500;
    expect(await check()).toBe(1);
    await new Promise((resolve) => server.close(resolve));
    expect(await check()).toBe(1);
  });
});
