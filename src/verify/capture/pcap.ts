/** The frames of a pcap file, in either order of octets, in microseconds or nanoseconds. */

import { VerifyError } from '../verify-error.js';
import type { Frame } from './frame.js';
import type { CaptureLimits } from './limits.js';
import type { OctetSource } from './octet-source.js';
import type { Remarks } from './remarks.js';

const headerBytes = 24;
const recordBytes = 16;

interface Form {
  readonly isLittle: boolean;
  /** Units of its fractions in a millisecond. */
  readonly perMs: number;
}

const forms = new Map<number, Form>([
  [0xa1b2c3d4, { isLittle: false, perMs: 1e3 }],
  [0xd4c3b2a1, { isLittle: true, perMs: 1e3 }],
  [0xa1b23c4d, { isLittle: false, perMs: 1e6 }],
  [0x4d3cb2a1, { isLittle: true, perMs: 1e6 }],
]);

export function isPcap(start: Buffer): boolean {
  return start.length >= 4 && forms.has(start.readUInt32BE(0));
}

export function* pcapFrames(
  source: OctetSource,
  limits: CaptureLimits,
  remarks: Remarks,
): Generator<Frame> {
  const header = source.take(headerBytes);
  if (header === undefined) throw new VerifyError('CAPTURE_TORN', 'the header of the file is torn');
  const { isLittle, perMs } = forms.get(header.readUInt32BE(0))!;
  const word = (bytes: Buffer, at: number): number =>
    isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  // The upper half says whether frames end with a checksum, and is nothing to us.
  const linkType = word(header, 20) & 0xffff;
  for (let number = 1; source.peek(1).length > 0; number++) {
    const record = source.take(recordBytes);
    if (record === undefined) {
      remarks.add(`torn: frame ${number} has no whole header`);
      return;
    }
    const kept = word(record, 8);
    if (kept > limits.frameBytes) {
      remarks.add(`torn: frame ${number} says that it has ${kept} octets`);
      return;
    }
    const at = word(record, 0) * 1e3 + word(record, 4) / perMs;
    const length = word(record, 12);
    const bytes = source.take(kept);
    if (bytes === undefined) {
      remarks.add(`torn: frame ${number} has no end`);
      return;
    }
    yield { number, at, linkType, bytes, length: Math.max(length, kept) };
  }
}
