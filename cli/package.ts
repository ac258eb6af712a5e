// The version of this package.
export { version as packageVersion } from "../package.json";
