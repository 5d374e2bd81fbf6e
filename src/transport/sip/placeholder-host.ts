/** Hosts that stand for whoever has no address of its own: names in `.invalid` (RFC 7118 5). */

const textMax = 1_024;
const invalidHost =
  /(?:^|[@:])([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.invalid)(?=[:;>?\s,]|$)/i;

/** The placeholder host of a URI, name-addr or host, in lower case; undefined for any other. */
export function placeholderHost(text: string): string | undefined {
  if (text.length > textMax) return undefined;
  return invalidHost.exec(text)?.[1]?.toLowerCase();
}
