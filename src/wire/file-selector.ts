/** What a session description says of a file that is offered (RFC 5547 6). */

import { sdpAttribute } from './session-description.js';
import type { Sdp } from './session-description.js';

/** SDP-08: a line with `a=file-selector` offers or asks for a file. */
export function isFileTransfer({ media }: Sdp): boolean {
  return media.some((line) => sdpAttribute(line, 'file-selector') !== undefined);
}

/** Octets of the first file that is offered, where they are said. */
export function fileSize({ media }: Sdp): number | undefined {
  for (const line of media) {
    const selector = sdpAttribute(line, 'file-selector');
    const size = selector === undefined ? null : /(?:^| )size:(\d{1,15})(?: |$)/.exec(selector);
    if (size) return Number(size[1]);
  }
  return undefined;
}
