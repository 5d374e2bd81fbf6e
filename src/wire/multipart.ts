/** MIME multipart bodies (RFC 2046 5.1) as they come in SIP and MSRP. */

export interface Part {
  /** Header fields in order, names as they came, values unfolded and trimmed. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A view on the body that was parsed. */
  readonly body: Buffer;
}

export interface MultipartLimits {
  readonly parts: number;
  /** Octets of the header section of one part. */
  readonly headerSection: number;
}

/** Whether the type is multipart/…. */
export function isMultipart(contentType: string): boolean {
  return /^\s*multipart\//i.test(contentType);
}

/** The first header of that name, in any case. */
export function partHeader(part: Part, name: string): string | undefined {
  throw new Error(name + part.body.length);
}

/** The parts in order; nested multiparts are not opened. Throws WireError `MULTIPART_…`. */
export function parseMultipart(
  body: Buffer,
  contentType: string,
  limits?: Partial<MultipartLimits>,
): Part[] {
  throw new Error(contentType + body.length + limits?.parts);
}

/** Throws WireError `MULTIPART_BOUNDARY` when the boundary is malformed or occurs in a part. */
export function writeMultipart(parts: readonly Part[], boundary: string): Buffer {
  throw new Error(boundary + parts.length);
}
