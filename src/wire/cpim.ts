/** message/cpim (RFC 3862) with the headers of IMDN (RFC 5438). */

export interface Cpim {
  /** Message headers in order, names and values as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** MIME headers of the content, in order. */
  readonly contentHeaders: readonly (readonly [name: string, value: string])[];
  /** Content-Type of the content; text/plain when it is not given. */
  readonly contentType: string;
  /** The content: a view on the octets that were parsed. */
  readonly body: Buffer;
}

/** What a CPIM says of itself and of the reports it asks for. */
export interface CpimFacts {
  /** URI of From, without name and brackets. */
  readonly from?: string;
  readonly to?: string;
  /** As written. */
  readonly dateTime?: string;
  /** imdn.Message-ID. */
  readonly messageId?: string;
  /** Lower-case: positive-delivery, negative-delivery, processing, display. */
  readonly dispositions: ReadonlySet<string>;
  readonly originalTo?: string;
  /** URIs of IMDN-Record-Route, topmost first. */
  readonly recordRoute: readonly string[];
}

export interface CpimFields {
  /** URIs, without brackets. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly dateTime?: string;
  /** Further message headers, such as NS and imdn.Message-ID. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly contentType: string;
  /** Further MIME headers, such as Content-Disposition. */
  readonly contentHeaders?: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Throws WireError `CPIM_…`. */
export function parseCpim(bytes: Buffer): Cpim {
  throw new Error(String(bytes.length));
}

/** Prefixes are resolved by `urn:ietf:params:imdn` (CPIM-03). */
export function cpimFacts(cpim: Cpim): CpimFacts {
  throw new Error(cpim.contentType);
}

export function wrapCpim(fields: CpimFields): Buffer {
  throw new Error(fields.from);
}
