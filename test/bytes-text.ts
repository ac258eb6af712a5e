export const bytesText = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();
