// weights/ with what only Node has: folders and the Hub's cache on disk.
export * from "./index.ts";
export { folderSource } from "./source-folder.ts";
export { type HubProgress, type HubSourceOptions, hubSource, parseRepository } from "./source-hub.ts";
