/** Whom a plain MESSAGE is for, read of its octets without parsing the rest. */

const startLine = Buffer.from('MESSAGE ');
/** Octets of a header section that is looked through; what is longer is parsed. */
const headMax = 4_096;

const tab = 0x09;
const space = 0x20;

/**
 * The Request-URI of a MESSAGE outside of a dialog and without P-Served-User, which are all that can
 * change where it goes. Undefined: it is something else, or looks unusual.
 */
export function plainTarget(bytes: Buffer): string | undefined {
  if (bytes[0] !== startLine[0] || bytes.compare(startLine, 0, 8, 0, 8) !== 0) return undefined;
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, headMax));
  const end = head.indexOf('\r\n');
  const uri = head.slice(startLine.length, end - version.length);
  if (end < 0 || !head.endsWith(version, end) || uri.includes(' ')) return undefined;
  return isPlain(head, end + 2) ? uri : undefined;
}

const version = ' SIP/2.0';

function isPlain(head: string, from: number): boolean {
  for (let at = from; ;) {
    const end = head.indexOf('\r\n', at);
    if (end < 0) return false;
    if (end === at) return true;
    switch (head.charCodeAt(at)) {
      case space:
      case tab:
        return false;
      // T: To in both of its forms.
      case 0x54:
      case 0x74:
        if (/^to?[ \t]*:.*;\s*tag\b/i.test(head.slice(at, end))) return false;
        break;
      case 0x50:
      case 0x70:
        if (/^p-served-user\b/i.test(head.slice(at, at + 14))) return false;
    }
    at = end + 2;
  }
}
