// deploy/skypilot/sirocco.yaml against the command and the server.
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readApiKeys } from "../../cli/api-keys.ts";
import { paperServer, parseServe, readText } from "./served.ts";

const { service, resources, envs, secrets, setup, run } = parse(readText("deploy/skypilot/sirocco.yaml"));
const variables: Record<string, string> = { ...envs, API_KEY: "secret", HF_TOKEN: "token" };

describe("skypilot", () => {
  it("starts the command with options that it knows, on the port that is opened", () => {
    const [, args] = /dist\/cli\/main\.js (serve [\s\S]*)/.exec(run.replace(/\\\n/g, " "))!;
    const words = args!
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^"\$(\w+)"$/, (_, name) => variables[name]!));
    const options = parseServe(words);
    expect(options).toMatchObject({
      host: "0.0.0.0",
      port: resources.ports,
      model: envs.MODEL,
      weights: envs.WEIGHTS,
    });
  });

  it("probes a path that is 200 without a key, and with a full queue: a replica that fails it is replaced", async () => {
    const { get, service: server } = paperServer();
    const { parallel, capacity } = server.admission;
    for (let i = 0; i < parallel + capacity; i++) server.admission.admit(1, new AbortController().signal);
    expect(await get("/ready")).toBe(503);
    expect(await get(service.readiness_probe.path)).toBe(200);
  });

  it("hands the key over in the variable that the command reads", async () => {
    const [, name, value] = /^(\w+)="\$(\w+)" exec/m.exec(run)!;
    expect(Object.keys(secrets)).toContain(value);
    expect(await readApiKeys({}, { [name!]: variables[value!] })).toEqual(["secret"]);
  });

  it("uses no variable that it does not set", () => {
    const used = [...`${setup}${run}`.matchAll(/\$(\w+)/g)].map(([, name]) => name!);
    const set = [...Object.keys(envs), ...Object.keys(secrets), "HOME", "PATH", "branch"];
    expect(used.filter((name) => !set.includes(name))).toEqual([]);
    for (const { 1: script } of setup.matchAll(/npm run (\w+)/g))
      expect(JSON.parse(readText("package.json")).scripts).toHaveProperty(script);
  });
});
