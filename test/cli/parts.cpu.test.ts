// Small parts of the command line: numbers as text, the progress bar, the driver.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { gpuAdvice, withDriver } from "../../cli/driver.ts";
import { errorMessage } from "../../cli/errors.ts";
import { formatBytes, formatCount, formatDuration, table, threeDigits, wrapList } from "../../cli/format.ts";
import { progressLine } from "../../cli/progress.ts";
import { swiftshader } from "../../cli/swiftshader.mjs";
import { DeviceError } from "../../engine/errors.ts";
import { FakeEngine, Session, sirocco } from "./fakes.ts";

afterEach(() => vi.unstubAllEnvs());

describe("numbers", () => {
  test.each([
    [0, "0 bytes"],
    [812.4, "812 bytes"],
    [999, "999 bytes"],
    [1000, "0.98 KiB"],
    [1024, "1.00 KiB"],
    [15.96 * 2 ** 20, "16.0 MiB"],
    [999.4 * 2 ** 20, "999 MiB"],
    [999.6 * 2 ** 20, "0.98 GiB"],
    [14_483_464_192, "13.5 GiB"],
    [5e15, "4547 TiB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0, "0 ms"],
    [85.4, "85 ms"],
    [999.5, "1.00 s"],
    [12_340, "12.3 s"],
    [59_949, "59.9 s"],
    [59_950, "1:00"],
    [245_000, "4:05"],
    [3_723_000, "1:02:03"],
  ])("%d ms are %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  test.each([
    [4352, "4,352"],
    [5_300_000, "5.30 million"],
    [7_241_732_096, "7.24 billion"],
  ])("%d is %s", (count, text) => expect(formatCount(count)).toBe(text));

  test.each([
    [0, "0.00"],
    [9.994, "9.99"],
    [9.996, "10.0"],
    [99.94, "99.9"],
    [99.96, "100"],
    [1234.5, "1235"],
  ])("%d has the digits %s", (value, text) => expect(threeDigits(value)).toBe(text));

  test("tables align their values", () => {
    expect(
      table([
        ["a", "1"],
        ["long", "2"],
      ]),
    ).toBe("a     1\nlong  2\n");
    expect(table([["a", "1\n2"]])).toBe("a  1\n   2\n");
  });

  test("lists are wrapped between their items", () => {
    expect(wrapList(["one", "two", "three"], 9)).toBe("one, two,\nthree");
    expect(wrapList(["one", "two", "three"], 1)).toBe("one,\ntwo,\nthree");
    expect(wrapList([], 9)).toBe("");
  });
});

describe("progress", () => {
  test("a line has bar, share, bytes, speed, time left and name", () => {
    expect(progressLine("download", "model.safetensors", 2 ** 30, 2 ** 32, 2 ** 20)).toBe(
      "Downloading [====----------]  25 %, 1.00 GiB of 4.00 GiB, 0.98 GiB/s, ETA 3.07 s, model.safetensors",
    );
    expect(progressLine("load", "x", 0, 100, 0)).toBe(
      "Loading [--------------]   0 %, 0 bytes of 100 bytes, x",
    );
    expect(progressLine("load", "x", 0, 0, 0)).toContain("]   0 %,");
    expect(progressLine("load", "x", 101, 100, 1)).toContain("[==============] 100 %");
  });

  test("is drawn on a terminal, both stages, and cleared before the answer", async () => {
    const { stderr, stdout } = await sirocco(["generate", "x", "--seed", "7", "--model", "owner/name"], {
      stderrTerminal: true,
      env: { NO_COLOR: "1" },
    });
    expect(stderr).toContain("Downloading [");
    expect(stderr).toContain("Loading [");
    // The text after the line was cleared for the last time.
    expect(stderr.split("\u001b[2K").at(-1)).toMatch(/^3 tokens .* seed 7\n$/);
    // Line wrapping and the cursor stay on: a second Ctrl-C could not switch them on again.
    expect(stderr).not.toContain("\u001b[?7l");
    expect(stderr).not.toContain("\u001b[?25l");
    expect(stdout).toBe("there was a cat.\n");
  });

  test("leaves room for the keys that the terminal echoes: a full line would move the bar down", async () => {
    const argv = ["generate", "x", "--model", "owner/name"];
    const { stderr } = await sirocco(argv, { stderrTerminal: true, columns: 60 });
    const drawn = stderr.split("\u001b[1G").map((line) => line.split("\u001b")[0]?.length ?? 0);
    expect(Math.max(...drawn)).toBe(56);
  });

  test("is not drawn elsewhere or with --quiet", async () => {
    expect((await sirocco(["generate", "x"])).stderr).not.toContain("Loading");
    expect((await sirocco(["generate", "x", "-q"], { stderrTerminal: true })).stderr).toBe("");
  });

  test("is cleared if loading fails", async () => {
    const session = new Session(["quantize", "-w", "q4", "-o", "not-there"], {
      stderrTerminal: true,
      errors: { quantizeModel: new Error("disk full") },
    });
    expect(await session.exit).toBe(1);
    expect(session.stderr).toBe("sirocco: disk full\n");
  });
});

test("thrown values that are no Error or have no message still give a message", () => {
  expect(errorMessage("text")).toBe("text");
  expect(errorMessage(new TypeError())).toBe("TypeError");
  expect(errorMessage(new Error("a: b", { cause: new Error("b") }))).toBe("a: b");
});

describe("the driver", () => {
  const driver = () => process.env["VK_DRIVER_FILES"];
  const noAdapter = { errors: { planModel: new DeviceError("no adapter", { code: "no-adapter" }) } };

  beforeEach(() => {
    for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "SIROCCO_ADAPTER"])
      vi.stubEnv(name, undefined);
  });

  test("stays, unless SwiftShader is asked for", async () => {
    for (const adapter of [undefined, "Radeon"]) {
      const engine = new FakeEngine(noAdapter);
      const options = adapter === undefined ? {} : { adapter };
      await expect(withDriver(engine).planModel("m", options)).rejects.toThrow("no adapter");
      expect(engine.called("planModel")).toHaveLength(1);
    }
    const other = new FakeEngine({ errors: { planModel: new Error("no such file") } });
    await expect(withDriver(other).planModel("m", { adapter: "swiftshader" })).rejects.toThrow(
      "no such file",
    );
    expect(driver()).toBeUndefined();
  });

  test("that the user names is kept, even if it does not work", async () => {
    vi.stubEnv("VK_DRIVER_FILES", "/nowhere/icd.json");
    const engine = new FakeEngine(noAdapter);
    await expect(withDriver(engine).planModel("m", { adapter: "swiftshader" })).rejects.toThrow("no adapter");
    expect(driver()).toBe("/nowhere/icd.json");
  });

  describe.runIf(swiftshader().icd)("is SwiftShader before a second try", () => {
    test.each([
      ["by --adapter", { adapter: "SwiftShader" }, undefined],
      ["by SIROCCO_ADAPTER", {}, "swiftshader"],
    ])("%s", async (_, options, named) => {
      vi.stubEnv("SIROCCO_ADAPTER", named);
      const engine = new FakeEngine(noAdapter);
      await expect(withDriver(engine).planModel("m", options)).rejects.toThrow("no adapter");
      expect(engine.called("planModel").map(({ source }) => source)).toEqual(["m", "m"]);
      expect(driver()).toBe(swiftshader().icd);
    });
  });
});

test("there is advice for every platform", async () => {
  expect(await gpuAdvice("linux")).toContain("Vulkan");
  expect(await gpuAdvice("win32")).toContain("Direct3D 12");
  expect(await gpuAdvice("darwin")).toContain("Metal");
});
