// What the command needs of the server.
export { type Listening, listen } from "./listen.ts";
export { createService, type Service, type ServiceOptions } from "./service.ts";
export { restoreSlots, saveSlots } from "./slots.ts";
