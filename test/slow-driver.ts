/**
 * Whether the driver is SwiftShader, which compiles each shader for seconds: there, tests run a part of their
 * cases. With SIROCCO_ALL_CASES=1 they run all.
 */
export const isSlowDriver =
  process.env["SIROCCO_DRIVER"] === "swiftshader" && process.env["SIROCCO_ALL_CASES"] !== "1";
