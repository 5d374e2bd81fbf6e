/** SDP offers and answers of MSRP sessions (RFC 3264, 4975 8, 6135). */

import { WireError } from './error.js';
import { formatFingerprint, parseFingerprint } from './msrp/fingerprint.js';
import type { CertificateFingerprint } from './msrp/fingerprint.js';
import { isMsrpUri, parseMsrpUri } from './msrp/uri.js';
import { sdpAttribute } from './session-description.js';
import type { Sdp, SdpDirection, SdpMedia, SdpSetup } from './session-description.js';

export { parseSdp, sdpAttribute } from './session-description.js';
export type {
  Sdp,
  SdpAttribute,
  SdpDirection,
  SdpLimits,
  SdpMedia,
  SdpOrigin,
  SdpSetup,
} from './session-description.js';

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
  /** sess-id and sess-version of o=: the same id for life, the version +1 on change (SDP-04). */
  readonly sessionId: number;
  readonly sessionVersion: number;
  /** Our path; its leftmost URI gives address, port and transport of the lines (SDP-01). */
  readonly path: readonly string[];
  readonly direction: SdpDirection;
  readonly setup: 'active' | 'passive' | 'actpass';
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes?: readonly string[];
  readonly maxSize?: number;
  /** Of our certificate, where the path is `msrps` (RFC 8122). */
  readonly fingerprint?: CertificateFingerprint;
  /** Whether connections may go to c= and m= instead of the path (RFC 6714). */
  readonly cema?: boolean;
}

/** How the peer that sent a session description is reached and known. */
export interface MsrpSdpRemote {
  readonly path: readonly string[];
  /** Of c= and m=, present where that is where to connect. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly fingerprints: readonly CertificateFingerprint[];
  /** Whether the line is for TLS. */
  readonly secure: boolean;
}

const directions: readonly SdpDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
/** An active endpoint has it in its m= line (SDP-06). */
const discardPort = 9;
const setups: readonly SdpSetup[] = ['active', 'passive', 'actpass', 'holdconn'];

/**
 * The facts of the first usable m=message line (MSRP, port not 0, path); undefined without one.
 * With `secure` only lines for TLS count, or only the others.
 */
export function msrpMedia(sdp: Sdp, secure?: boolean): MsrpSdpFacts | undefined {
  const media = sdp.media[msrpIndex(sdp, secure)];
  if (media === undefined) return undefined;
  const given = sdpAttribute(media, 'setup') ?? sdpAttribute(sdp, 'setup');
  const setup = setups.find((value) => value === given?.trim().toLowerCase());
  const maxSize = sizeOf(sdpAttribute(media, 'max-size') ?? sdpAttribute(media, 'maxsize'));
  return {
    path: pathOf(media)!,
    ...(setup !== undefined && { setup }),
    direction: effectiveDirection(sdp, media),
    acceptTypes: words(sdpAttribute(media, 'accept-types')),
    acceptWrappedTypes: words(sdpAttribute(media, 'accept-wrapped-types')),
    ...(maxSize !== undefined && { maxSize }),
  };
}

/**
 * How to reach the peer of the line that `msrpMedia` chose; undefined without one. With `cema` the
 * address of c= and m= counts where the peer agrees to that. Throws WireError `SDP_FINGERPRINT`,
 * and `SDP_CEMA` where the addresses differ without its agreement (RFC 6714 4).
 */
export function msrpRemote(sdp: Sdp, cema = false, only?: boolean): MsrpSdpRemote | undefined {
  const media = sdp.media[msrpIndex(sdp, only)];
  if (media === undefined) return undefined;
  const path = pathOf(media)!;
  const own = fingerprintsIn(media);
  const fingerprints = own.length > 0 ? own : fingerprintsIn(sdp);
  const secure = isSecure(media);
  if (!cema) return { path, fingerprints, secure };
  const host = media.connection ?? sdp.connection;
  const leftmost = parseMsrpUri(path[0]!);
  const bare = leftmost.host.replace(/^\[|\]$/g, '').toLowerCase();
  const isSame = host?.toLowerCase() === bare && media.port === leftmost.port;
  if (host === undefined || isSame || media.port === discardPort) {
    return { path, fingerprints, secure };
  }
  if (sdpAttribute(media, 'msrp-cema') !== undefined) {
    return { path, address: { host, port: media.port }, fingerprints, secure };
  }
  throw new WireError('SDP_CEMA', 'c= and m= are not those of the path', 488);
}

/** The direction of a media line: its own, else that of the session, else sendrecv (SDP-02). */
export function effectiveDirection(sdp: Sdp, media: SdpMedia): SdpDirection {
  return directionIn(media) ?? directionIn(sdp) ?? 'sendrecv';
}

/** Where a direction is written, on which level, for the line that `msrpMedia` chose (D-65). */
export function writtenDirections(
  sdp: Sdp,
  secure?: boolean,
): { readonly session?: SdpDirection; readonly media?: SdpDirection } {
  const chosen = sdp.media[msrpIndex(sdp, secure)];
  const session = directionIn(sdp);
  const media = chosen && directionIn(chosen);
  return { ...(session && { session }), ...(media && { media }) };
}

/** An offer of one m=message line. Throws WireError `SDP_FIELD` when a value cannot be written. */
export function offer(session: SdpSession): Buffer {
  return description(session, [mediaLines(session, undefined)]);
}

/**
 * An answer. The first usable line that fits our path is taken, every other one has port 0
 * (SDP-03). The direction is narrowed to what the offer permits (SDP-02). Throws WireError, all with 488:
 * `SDP_NO_MSRP` when no line is usable, `SDP_SETUP` when both sides would connect, or none,
 * `SDP_TRANSPORT` when one side is for TLS and the other is not, `SDP_CEMA` as `msrpRemote` does.
 */
export function answer(session: SdpSession & { readonly offer: Sdp }): Buffer {
  const { secure } = parseMsrpUri(session.path[0] ?? '');
  const index = msrpIndex(session.offer, secure);
  const taken = session.offer.media[index];
  if (taken === undefined) {
    if (msrpIndex(session.offer) < 0) {
      throw new WireError('SDP_NO_MSRP', 'no usable m=message line', 488);
    }
    throw new WireError('SDP_TRANSPORT', 'TLS is offered or wanted on one side only', 488);
  }
  const offered = msrpMedia(session.offer, secure)!;
  if (!mayAnswer(offered.setup, session.setup)) {
    throw new WireError('SDP_SETUP', 'the setup of offer and answer do not fit', 488);
  }
  if (session.cema === true) msrpRemote(session.offer, true, secure);
  const cema = session.cema === true && sdpAttribute(taken, 'msrp-cema') !== undefined;
  const direction = narrow(session.direction, offered.direction);
  const lines = session.offer.media.map((media, at) =>
    at === index
      ? mediaLines({ ...session, direction, cema }, media.proto)
      : [`m=${media.media} 0 ${media.proto} ${media.formats.join(' ')}`],
  );
  return description(session, lines);
}

function msrpIndex(sdp: Sdp, secure?: boolean): number {
  return sdp.media.findIndex(
    (media) =>
      media.media.toLowerCase() === 'message' &&
      media.port !== 0 &&
      /^TCP\/(?:TLS\/)?MSRP$/i.test(media.proto) &&
      (secure === undefined || isSecure(media) === secure) &&
      pathOf(media) !== undefined,
  );
}

function isSecure({ proto }: SdpMedia): boolean {
  return /TLS/i.test(proto);
}

function pathOf(media: SdpMedia): readonly string[] | undefined {
  const path = words(sdpAttribute(media, 'path'));
  return path.length > 0 && path.every(isMsrpUri) ? path : undefined;
}

function fingerprintsIn(section: SdpMedia | Sdp): CertificateFingerprint[] {
  return section.attributes.flatMap(([name, value]) =>
    name === 'fingerprint' ? [parseFingerprint(value ?? '')] : [],
  );
}

function words(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(' ').filter((word) => word !== '');
}

function sizeOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d+$/.test(value.trim())) return undefined;
  const size = Number(value);
  return Number.isSafeInteger(size) ? size : undefined;
}

function directionIn(section: SdpMedia | Sdp): SdpDirection | undefined {
  for (const [name] of section.attributes) {
    const direction = directions.find((value) => value === name);
    if (direction !== undefined) return direction;
  }
  return undefined;
}

/** RFC 4145 4.1; without a usable setup the offerer connects (4975 5.4, 6135 4). */
function mayAnswer(offered: SdpSetup | undefined, setup: SdpSession['setup']): boolean {
  if (setup === 'actpass') return false;
  if (offered === 'actpass') return true;
  return offered === 'passive' ? setup === 'active' : setup === 'passive';
}

function narrow(wanted: SdpDirection, offered: SdpDirection): SdpDirection {
  const sends = has(wanted, 'send') && has(offered, 'recv');
  const receives = has(wanted, 'recv') && has(offered, 'send');
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}

function has(direction: SdpDirection, way: 'send' | 'recv'): boolean {
  return direction === 'sendrecv' || direction === `${way}only`;
}

function description(session: SdpSession, media: readonly (readonly string[])[]): Buffer {
  const { sessionId, sessionVersion } = session;
  const address = addressOf(session);
  const lines = [
    'v=0',
    `o=- ${sessionId} ${sessionVersion} IN ${address}`,
    's=-',
    `c=IN ${address}`,
    't=0 0',
    ...media.flat(),
  ];
  if (lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new WireError('SDP_FIELD', 'a value has a line end', 500);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

function addressOf(session: SdpSession): string {
  const { host } = parseMsrpUri(session.path[0] ?? '');
  return host.startsWith('[') ? `IP6 ${host.slice(1, -1)}` : `IP4 ${host}`;
}

function mediaLines(session: SdpSession, proto: string | undefined): string[] {
  const { secure, port } = parseMsrpUri(session.path[0] ?? '');
  const lines = [
    `m=message ${port ?? 2855} ${proto ?? (secure ? 'TCP/TLS/MSRP' : 'TCP/MSRP')} *`,
    `a=${session.direction}`,
    `a=setup:${session.setup}`,
    `a=accept-types:${session.acceptTypes.join(' ')}`,
  ];
  const wrapped = session.acceptWrappedTypes ?? [];
  if (wrapped.length > 0) lines.push(`a=accept-wrapped-types:${wrapped.join(' ')}`);
  if (session.maxSize !== undefined) lines.push(`a=max-size:${session.maxSize}`);
  if (session.fingerprint && secure) {
    lines.push(`a=fingerprint:${formatFingerprint(session.fingerprint)}`);
  }
  if (session.cema === true) lines.push('a=msrp-cema');
  lines.push(`a=path:${session.path.join(' ')}`);
  return lines;
}
