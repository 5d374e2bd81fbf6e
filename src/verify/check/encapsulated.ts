/** What a SEND of the server carries: the stored message inside, by its Call-ID (S2 D.x 8, D-48). */

import type { SpokenMsrp } from './spoken.js';

/** The Call-ID of the stored message; undefined where the form of the content does not tell. */
export function innerCallId({ head, body }: SpokenMsrp): string | undefined {
  if (head.kind !== 'request' || head.contentType === undefined) return undefined;
  const type = head.contentType.split(';')[0]!.trim().toLowerCase();
  if (type !== 'message/sip' && type !== 'message/sipfrag' && !type.startsWith('multipart/')) {
    return undefined;
  }
  const text = body.toString('latin1');
  const end = type.startsWith('multipart/') ? text.length : endOfHead(text);
  return /^(?:Call-ID|i)[ \t]*:[ \t]*(\S.*?)[ \t]*\r?$/im.exec(text.slice(0, end))?.[1];
}

function endOfHead(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? text.length : end;
}

/** The first octets of a message, with content: where it becomes visible which one it is. */
export function beginsMessage({ head }: SpokenMsrp): boolean {
  if (head.kind !== 'request' || head.method !== 'SEND' || head.contentType === undefined) {
    return false;
  }
  return (head.byteRange?.start ?? 1) === 1;
}
