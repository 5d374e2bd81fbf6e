/** URI lists in a request body (RFC 4826, 5363, 5366). */

/**
 * The URIs of all entries in order, nested lists included, entry-ref and external left out; as
 * written, with duplicates. Empty when the list names nothing (D-70). Throws WireError `XML_…`,
 * `LIST_…`.
 */
export function parseUriList(body: Buffer): string[] {
  throw new Error(String(body.length));
}

export function writeUriList(uris: readonly string[]): Buffer {
  throw new Error(String(uris.length));
}
