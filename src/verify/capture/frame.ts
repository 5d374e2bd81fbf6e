/** A frame as a file of captured packets holds it. */

export interface Frame {
  /** Its place among the frames of the file; the first is 1. */
  readonly number: number;
  /** Milliseconds since 1970, with their fraction. */
  readonly at: number;
  /** What it begins with, of the registry of LINKTYPE values. */
  readonly linkType: number;
  readonly bytes: Buffer;
  /** How many octets it had on the wire; less of them were kept when `bytes` is shorter. */
  readonly length: number;
}

/** When and where something was seen. */
export type Stamp = Pick<Frame, 'number' | 'at'>;
