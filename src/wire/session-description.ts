/** Session descriptions as they are parsed (RFC 8866). */

import { WireError } from './error.js';

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

export interface SdpLimits {
  /** Octets of the body. */
  readonly size: number;
  readonly media: number;
  /** Lines of the body. */
  readonly lines: number;
}

export const sdpLimits: SdpLimits = { size: 65536, media: 64, lines: 1024 };

/** What is gathered of one section, that of the session or that of an m= line. */
interface Section {
  connection?: string;
  readonly attributes: SdpAttribute[];
}

/**
 * Line ends may be a bare LF (RFC 8866 5). Types of lines that say nothing about MSRP are passed
 * over. Throws WireError `SDP_…`.
 */
export function parseSdp(body: Buffer, limits: Partial<SdpLimits> = {}): Sdp {
  const lines = linesOf(body, { ...sdpLimits, ...limits });
  if (lines[0] !== 'v=0') throw new WireError('SDP_VERSION', 'v=0 is not the first line');
  const origin = readOrigin(lines[1] ?? '');
  const mediaMax = limits.media ?? sdpLimits.media;
  const session: Section = { attributes: [] };
  const media: (SdpMedia & Section)[] = [];
  const times: string[] = [];
  let name = '';
  let section = session;
  for (const line of lines.slice(2)) {
    const value = line.slice(2);
    switch (line.charAt(0)) {
      case 's':
        name = value;
        break;
      case 't':
        times.push(value);
        break;
      case 'c':
        section.connection ??= readConnection(value);
        break;
      case 'a':
        section.attributes.push(readAttribute(value));
        break;
      case 'm': {
        if (media.length === mediaMax) throw new WireError('SDP_MEDIA', 'too many m= lines');
        const next = readMedia(value);
        media.push(next);
        section = next;
        break;
      }
      case 'v':
      case 'o':
        throw new WireError('SDP_LINE', 'a second v= or o= line');
    }
  }
  return { origin, name, ...session, times, media };
}

/** The value of the first attribute of that name, '' when it has none; undefined without one. */
export function sdpAttribute(
  section: { readonly attributes: readonly SdpAttribute[] },
  name: string,
): string | undefined {
  const found = section.attributes.find((attribute) => attribute[0] === name);
  return found === undefined ? undefined : (found[1] ?? '');
}

function linesOf(body: Buffer, limits: SdpLimits): string[] {
  if (body.length > limits.size) throw new WireError('SDP_TOO_LONG', 'the body is too long');
  const text = body.toString('utf8');
  if (text.includes('\ufffd') && !Buffer.from(text).equals(body)) {
    throw new WireError('SDP_TEXT', 'not UTF-8');
  }
  const lines = text.split('\n', limits.lines + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > limits.lines) throw new WireError('SDP_TOO_LONG', 'too many lines');
  return lines.map((line) => {
    const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (!/^[a-z]=/.test(bare)) throw new WireError('SDP_LINE', 'a line has no type');
    if (/[\0\r]/.test(bare)) throw new WireError('SDP_LINE', 'a line has NUL or CR');
    return bare;
  });
}

function readOrigin(line: string): SdpOrigin {
  const match = /^o=([^ ]+) (\d+) (\d+) IN ([^ ]+) ([^ ]+)$/.exec(line);
  if (match === null) throw new WireError('SDP_ORIGIN', 'o= is missing or malformed');
  const [, username, sessionId, sessionVersion, addressType, address] = match;
  return {
    username: username!,
    sessionId: sessionId!,
    sessionVersion: sessionVersion!,
    addressType: addressType!,
    address: address!,
  };
}

function readConnection(value: string): string {
  const match = /^IN [^ ]+ ([^ /]+)(?:\/[^ ]*)?$/.exec(value);
  if (match === null) throw new WireError('SDP_CONNECTION', 'c= is malformed');
  return match[1]!;
}

function readAttribute(value: string): SdpAttribute {
  const colon = value.indexOf(':');
  const name = colon < 0 ? value.trimEnd() : value.slice(0, colon);
  if (!/^[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+$/.test(name)) {
    throw new WireError('SDP_ATTRIBUTE', 'a= is malformed');
  }
  return [name, colon < 0 ? undefined : value.slice(colon + 1)];
}

function readMedia(value: string): SdpMedia & Section {
  const match = /^([^ ]+) (\d{1,5})(?:\/\d+)? ([^ ]+) (\S.*)$/.exec(value);
  if (match === null) throw new WireError('SDP_MEDIA', 'm= is malformed');
  const [, media, port, proto, formats] = match;
  if (Number(port) > 65535) throw new WireError('SDP_PORT', 'a port is above 65535');
  return {
    media: media!,
    port: Number(port),
    proto: proto!,
    formats: formats!.trimEnd().split(/ +/),
    attributes: [],
  };
}
