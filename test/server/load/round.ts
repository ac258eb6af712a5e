// Requests of many clients at once.
import type { Client } from "./client.ts";

/**
 * Each client with its next request when the one before is over, then all hang up.
 * @returns what went wrong
 */
export async function round(
  clients: readonly Client[],
  requests: number,
  one: (client: Client) => Promise<string | undefined>,
): Promise<string[]> {
  const wrong: string[] = [];
  let left = requests;
  await Promise.all(
    clients.map(async (client) => {
      while (left-- > 0) {
        const complaint = await one(client);
        if (complaint) wrong.push(complaint);
      }
    }),
  );
  for (const client of clients) client.close();
  return wrong;
}
