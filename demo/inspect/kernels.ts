// The time of a decode step by kernel.
import type { TemplateResult } from "lit";
import type { KernelTime } from "../../engine/index.ts";
import { milliseconds } from "../format.ts";
import { bars } from "./bars.ts";

export function kernelBars(times: readonly KernelTime[]): TemplateResult {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const clock =
    times[0]?.clock === "gpu" ? "by the GPU's clock" : "from submit to done: this adapter has no timestamps";
  return bars(
    `${milliseconds(total)} a token, each launch by itself ${clock}`,
    ["Kernel", "Time"],
    times.map(({ kernel, launches, milliseconds: value }) => ({
      label: kernel,
      note: `× ${launches}`,
      value,
      text: milliseconds(value),
    })),
  );
}
