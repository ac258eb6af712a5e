// `sirocco` in browsers and bundles. Nothing here reaches Node's own modules.
export { type HubSourceOptions, hubSource, loadModel, planModel, tuneModel } from "./browser-platform.ts";
export * from "./common.ts";
