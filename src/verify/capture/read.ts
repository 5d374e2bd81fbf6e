/** Reads a capture of any known form; which one it is, is told by its octets. */

import { VerifyError } from '../verify-error.js';
import type { Findings } from './conversation.js';
import type { Frame } from './frame.js';
import { isHep, readHep } from './hep.js';
import { captureLimits, type CaptureLimits } from './limits.js';
import { isLines, readLines } from './lines.js';
import { Messages } from './messages.js';
import type { Capture } from './observed.js';
import { OctetSource } from './octet-source.js';
import { Packets } from './packets.js';
import { isPcap, pcapFrames } from './pcap.js';
import { isPcapng, pcapngFrames } from './pcapng.js';
import { Remarks } from './remarks.js';

/** Octets that tell the forms apart; NDJSON may begin with some white space. */
const startBytes = 64;

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
    readAs(octets, { limits: bounds, messages, remarks });
  } finally {
    octets.close();
  }
  return messages.capture();
}

/** By what it begins with. */
function readAs(octets: OctetSource, findings: Findings): void {
  const { limits, remarks } = findings;
  const start = octets.peek(startBytes);
  if (isPcap(start)) {
    readFrames(pcapFrames(octets, limits, remarks), findings);
    return;
  }
  if (isPcapng(start)) {
    readFrames(pcapngFrames(octets, limits, remarks), findings);
    return;
  }
  if (isHep(start)) {
    readHep(octets, findings);
    return;
  }
  if (isLines(start)) {
    readLines(octets, findings);
    return;
  }
  if (start.length === 0) throw new VerifyError('CAPTURE_EMPTY', 'there is nothing in it');
  if (start[0] === 0x1f && start[1] === 0x8b) {
    throw new VerifyError('CAPTURE_COMPRESSED', 'it is compressed: unpack it first');
  }
  throw new VerifyError('CAPTURE_FORM', 'it is no pcap, pcapng, HEP or NDJSON');
}

function readFrames(frames: Iterable<Frame>, findings: Findings): void {
  const packets = new Packets(findings);
  for (const frame of frames) packets.take(frame);
  packets.end();
}
