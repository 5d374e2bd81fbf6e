/** Reads a capture of any known form; which one it is, is told by its octets. */

import { VerifyError } from '../verify-error.js';
import { datagramOf, messageIn } from './datagram.js';
import type { Frame } from './frame.js';
import { packetOf } from './internet.js';
import { captureLimits, type CaptureLimits } from './limits.js';
import { networkOf } from './link.js';
import { Messages } from './messages.js';
import type { Capture } from './observed.js';
import { OctetSource } from './octet-source.js';
import { isPcap, pcapFrames } from './pcap.js';
import { Remarks } from './remarks.js';

const udp = 17;

/**
 * The SIP and MSRP messages of a file (its path) or of its octets. A file is read piece by piece;
 * what is held at a time, and what is told, has bounds (`limits`). What cannot be read is said in
 * the remarks; VerifyError is thrown when it is no capture at all.
 */
export function readCapture(source: string | Buffer, limits: Partial<CaptureLimits> = {}): Capture {
  const bounds = { ...captureLimits, ...limits };
  const remarks = new Remarks(bounds.remarks);
  const messages = new Messages(bounds, remarks);
  const octets = new OctetSource(source);
  try {
    const start = octets.peek(4);
    if (start.length === 0) throw new VerifyError('CAPTURE_EMPTY', 'there is nothing in it');
    if (!isPcap(start)) throw new VerifyError('CAPTURE_FORM', 'this is no capture that is known');
    for (const frame of pcapFrames(octets, bounds, remarks)) readFrame(frame, messages, remarks);
  } finally {
    octets.close();
  }
  return messages.capture();
}

function readFrame(frame: Frame, messages: Messages, remarks: Remarks): void {
  const network = networkOf(frame);
  if (network === undefined) {
    return remarks.count(`frames of link type ${frame.linkType} cannot be read`, frame.number);
  }
  if (network === 'none') return;
  const packet = packetOf(network.bytes);
  if (packet === undefined) return remarks.count('broken IP packets', frame.number);
  if (packet.protocol !== udp || packet.fragment !== undefined) return;
  const datagram = datagramOf(packet);
  const message = datagram && messageIn(datagram, frame);
  if (message !== undefined) messages.add(message);
}
