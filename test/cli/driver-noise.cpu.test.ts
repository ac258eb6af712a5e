// What graphics drivers write, sorted into warnings, errors and native stacks.
import { expect, test } from "vitest";
import { DriverMessages } from "../../cli/driver-noise.ts";

const NOISE = `Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced
    at InitializeSupportedLimitsInternal (../../PhysicalDeviceVk.cpp:42)

Error: vkCreateInstance failed
    at CheckVkSuccessImpl (../../VulkanError.cpp:88)
#0 0x7f00 (libdawn.so+0x12)
Warning: no driver
Warning: no driver
`;

test("errors are shown, without native stacks", () => {
  expect(new DriverMessages().take(NOISE)).toBe("Error: vkCreateInstance failed\n");
  expect(new DriverMessages().take("")).toBe("");
});

test("warnings are kept, each once, until an adapter is found", () => {
  const messages = new DriverMessages();
  expect(messages.warnings).toBe("");
  messages.take(NOISE);
  messages.take("Warning: another\n");
  expect(messages.warnings).toBe(
    "Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced\n" +
      "Warning: no driver\nWarning: another\n",
  );
  messages.found();
  expect(messages.warnings).toBe("");
});
