/** SDP of MSRP sessions (RFC 8866, 3264, 4975 8, 6135). */

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export type SdpSetup = 'active' | 'passive' | 'actpass' | 'holdconn';

/** `a=name:value` or `a=name`. */
export type SdpAttribute = readonly [name: string, value: string | undefined];

export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly addressType: string;
  readonly address: string;
}

export interface SdpMedia {
  readonly media: string;
  readonly port: number;
  readonly proto: string;
  readonly formats: readonly string[];
  /** Address of its own c= line. */
  readonly connection?: string;
  readonly attributes: readonly SdpAttribute[];
}

export interface Sdp {
  readonly origin: SdpOrigin;
  readonly name: string;
  /** Address of the c= line of the session. */
  readonly connection?: string;
  /** t= lines as written. */
  readonly times: readonly string[];
  readonly attributes: readonly SdpAttribute[];
  /** In the order of the m= lines. */
  readonly media: readonly SdpMedia[];
}

/** What an SDP body says of its m=message line. */
export interface MsrpSdpFacts {
  readonly path: readonly string[];
  readonly setup?: SdpSetup;
  /** Effective direction of the media line (D-65). */
  readonly direction: SdpDirection;
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes: readonly string[];
  /** Octets. */
  readonly maxSize?: number;
}

/** Our side of an MSRP session. */
export interface SdpSession {
  /** Numeric sess-id and sess-version of o=: same id for life, version +1 on change (SDP-04). */
  readonly sessionId: number;
  readonly sessionVersion: number;
  /** Our path; its last URI is ours and gives address, port and transport of the lines (SDP-01). */
  readonly path: readonly string[];
  readonly direction: SdpDirection;
  readonly setup: 'active' | 'passive' | 'actpass';
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes?: readonly string[];
  readonly maxSize?: number;
}

/** Throws WireError `SDP_…`. */
export function parseSdp(body: Buffer): Sdp {
  throw new Error(body.toString());
}

/** The direction of a media line: its own, else that of the session, else sendrecv (SDP-02). */
export function effectiveDirection(sdp: Sdp, media: SdpMedia): SdpDirection {
  throw new Error(sdp.name + media.media);
}

/** The facts of the first usable m=message line (MSRP, port not 0); undefined without one. */
export function msrpMedia(sdp: Sdp): MsrpSdpFacts | undefined {
  throw new Error(sdp.name);
}

/** An offer of one m=message line. */
export function offer(session: SdpSession): Buffer {
  throw new Error(session.direction);
}

/**
 * An answer: the m=message line that `msrpMedia` chose is taken, every other line has port 0
 * (SDP-03).
 */
export function answer(session: SdpSession & { readonly offer: Sdp }): Buffer {
  throw new Error(session.direction);
}
