// The manifests in deploy/kubernetes must agree with the server and with each other.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { metricNames, paperServer, parseServe, readText } from "./served.ts";

type Named<T = unknown> = T & { readonly name: string };
type Labels = Readonly<Record<string, string>>;
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly [Named<{ readonly containerPort: number }>];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
  readonly volumeMounts: readonly Named<{ readonly mountPath: string }>[];
}
interface Volume {
  readonly secret?: {
    readonly secretName: string;
    readonly defaultMode: number;
    readonly items: readonly [{ readonly key: string; readonly path: string }];
  };
}
interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
        readonly volumes: readonly Named<Volume>[];
      };
    };
  };
}
interface Autoscaler {
  readonly spec: {
    readonly scaleTargetRef: object;
    readonly metrics: readonly {
      readonly pods: { readonly metric: Named; readonly target: { readonly averageValue: string } };
    }[];
  };
}
interface Secret {
  readonly metadata: { readonly name: string };
  readonly stringData: Labels;
}
interface Service {
  readonly spec: { readonly selector: Labels; readonly ports: readonly [{ readonly targetPort: string }] };
}
/** A PodMonitor or a PodDisruptionBudget. */
interface Selecting {
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly podMetricsEndpoints?: readonly [
      {
        readonly path: string;
        readonly port: string;
        readonly authorization: { readonly credentials: object };
      },
    ];
  };
}

const folder = "deploy/kubernetes";
const read = <T>(name: string): [T, ...T[]] =>
  parseAllDocuments(readText(`${folder}/${name}`)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as T;
  }) as [T, ...T[]];

const [deployment] = read<Deployment>("deployment.yaml");
const [autoscaler] = read<Autoscaler>("autoscaler.yaml");
const [secret] = read<Secret>("secret.yaml");
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const options = parseServe(container.args);

describe("kubernetes", () => {
  it("probes paths that the server has, on the port it listens on", async () => {
    const [{ name, containerPort }] = container.ports;
    expect(containerPort).toBe(options["port"]);
    expect(options["host"]).toBe("0.0.0.0");
    const { get, service } = paperServer();
    for (const kind of ["startupProbe", "livenessProbe", "readinessProbe"] as const) {
      expect(container[kind].httpGet.port).toBe(name);
      expect(await get(container[kind].httpGet.path)).toBe(200);
    }
    // A draining pod accepts no requests, and must not be killed for it.
    await service.admission.drain();
    expect(await get(container.readinessProbe.httpGet.path)).toBe(503);
    expect(await get(container.livenessProbe.httpGet.path)).toBe(200);
  });

  it("gives a pod the time it takes to end", () => {
    const before = Number(container.lifecycle.preStop.exec.command[1]);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + Number(options["drain"]) + 10);
  });

  it("mounts the keys where the server reads them, and gives Prometheus one", () => {
    const { secret: keys } = pod.volumes.find((each) => each.name === "keys")!;
    const mount = container.volumeMounts.find((each) => each.name === "keys")!;
    const [item] = keys!.items;
    expect(options["apiKeyFile"]).toBe(`${mount.mountPath}/${item.path}`);
    expect(keys!.secretName).toBe(secret.metadata.name);
    // Readable by the group of the process.
    expect(keys!.defaultMode).toBe(0o440);
    expect(secret.stringData[item.key]!.split("\n")).toContain(secret.stringData["metrics-key"]);
    const [endpoint] = read<Selecting>("prometheus.yaml")[0].spec.podMetricsEndpoints!;
    expect(endpoint.path).toBe("/metrics");
    expect(endpoint.port).toBe(container.ports[0].name);
    expect(endpoint.authorization.credentials).toEqual({ name: secret.metadata.name, key: "metrics-key" });
  });

  it("writes only where something is mounted", () => {
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    const mounted = container.volumeMounts.map((each) => each.mountPath);
    const [, cache] = /^VOLUME (\S+)/m.exec(readText("deploy/docker/Dockerfile"))!;
    expect(mounted).toEqual(expect.arrayContaining([cache, "/tmp"]));
    expect(pod.volumes.map((each) => each.name)).toEqual(container.volumeMounts.map((each) => each.name));
  });

  it("scales by figures that the server gives, and that the adapter passes on", async () => {
    const names = await metricNames();
    const [rule] = parse(readText(`${folder}/prometheus-adapter.yaml`)).rules.custom;
    const [, series] = /__name__=~"([^"]+)"/.exec(rule.seriesQuery)!;
    const targets = Object.fromEntries(
      autoscaler.spec.metrics.map(({ pods }) => [pods.metric.name, Number(pods.target.averageValue)]),
    );
    for (const name of Object.keys(targets)) {
      expect(names).toContain(name);
      expect(name).toMatch(new RegExp(series!));
    }
    // Scales before requests are refused, and before all slots are in use.
    expect(targets["sirocco_queue_length"]).toBeLessThan(Number(options["queue"]) / 2);
    expect(targets["sirocco_running"]).toBeLessThan(Number(options["parallel"]));
    const { scaleTargetRef } = autoscaler.spec;
    expect(scaleTargetRef).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: deployment.metadata.name,
    });
    // `kubectl apply` would reset it.
    expect(deployment.spec).not.toHaveProperty("replicas");
  });

  it("selects the pods that there are", () => {
    const { labels } = deployment.spec.template.metadata;
    const selectors = [
      deployment.spec.selector.matchLabels,
      ...read<Service>("service.yaml").map(({ spec }) => spec.selector),
      read<Selecting>("pod-disruption-budget.yaml")[0].spec.selector.matchLabels,
      read<Selecting>("prometheus.yaml")[0].spec.selector.matchLabels,
    ];
    for (const selector of selectors) expect(labels).toMatchObject(selector);
    for (const { spec } of read<Service>("service.yaml"))
      expect(spec.ports[0].targetPort).toBe(container.ports[0].name);
  });

  it("applies files that are there, but for the secret and the values of a chart", () => {
    const here = (name: string) => fileURLToPath(new URL(`../../${folder}/${name}`, import.meta.url));
    const { resources } = read<{ readonly resources: readonly string[] }>("kustomization.yaml")[0];
    expect(resources.filter((name) => !existsSync(here(name)))).toEqual([]);
    const others = readdirSync(here("")).filter(
      (name) => name.endsWith(".yaml") && !resources.includes(name),
    );
    expect(others.sort()).toEqual(["kustomization.yaml", "prometheus-adapter.yaml", "secret.yaml"]);
  });
});
