// Files of one process follow each other: what one has opened would stay for all.
import { afterAll } from "vitest";
import { closeTestDevices } from "../helpers.ts";

afterAll(closeTestDevices);
