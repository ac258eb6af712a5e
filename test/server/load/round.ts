// Requests of many concurrent clients.
import type { Client } from "./client.ts";

/**
 * Each client sends its next request when the previous one is over, then all disconnect.
 * @returns the failures
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
