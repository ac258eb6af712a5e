// What the command needs of the server.
export { Finetunes } from "./finetunes.ts";
export { type Listening, listen } from "./listen.ts";
export { isProbe, shortLine } from "./log.ts";
export { createService, type Service, type ServiceOptions } from "./service.ts";
export { restoreSessions, saveSessions } from "./session-files.ts";
export { checkFolder } from "./session-folder.ts";
