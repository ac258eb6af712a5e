// weights/ with what only Node has: folders and the Hub's cache on disk.
export * from "./index.ts";
export { folderSource } from "./source-folder.ts";
