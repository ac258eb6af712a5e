// What the command needs of the server.
export { type Listening, listen } from "./listen.ts";
export { createService, type Service, type ServiceOptions } from "./service.ts";
export { checkSlotFolder } from "./slot-folder.ts";
export { restoreSlots, saveSlots } from "./slots.ts";
