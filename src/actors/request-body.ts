/** What the body of a request says: SDP, URI lists, embedded messages; everything else is refused. */

import { WireError } from '../wire/error.js';
import { isMultipart, parseMultipart, partHeader } from '../wire/multipart.js';
import { parseSdp } from '../wire/sdp.js';
import type { Sdp } from '../wire/sdp.js';
import { parseContentType } from '../wire/sip/content-type.js';
import type { SipHeaders } from '../wire/sip/message.js';
import { parseUriList } from '../wire/xml/resource-lists.js';

/** One body, or one part of a multipart one. */
export interface BodyPart {
  /** `type/subtype` in lower case. */
  readonly type: string;
  /** Lower case, without parameters. */
  readonly disposition: string | undefined;
  /** RFC 3261 20.11: whether a part that is not understood may be passed over. */
  readonly optional: boolean;
  /** Without its brackets. */
  readonly contentId: string | undefined;
  readonly body: Buffer;
}

/** A body of a type that is not understood here: the answer names the types that are. */
export class UnsupportedBody extends WireError {
  constructor(hint: string) {
    super('SIP_BODY_TYPE', hint, 415);
  }
}

/** The parts of a body, none when there is none. Throws WireError. */
export function bodyParts(
  message: SipHeaders & { readonly body: Buffer },
  bodyBytes: number,
): BodyPart[] {
  const { body } = message;
  if (body.length === 0) return [];
  if (body.length > bodyBytes) throw new WireError('SIP_BODY_SIZE', 'body is too large', 413);
  const encoding = message.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new UnsupportedBody('Content-Encoding is not understood');
  }
  const contentType = message.header('content-type');
  if (contentType === undefined) throw new WireError('SIP_CONTENT_TYPE', 'body without type');
  if (!isMultipart(contentType)) {
    const disposition = message.header('content-disposition');
    return [part(contentType, disposition, message.header('content-id'), body)];
  }
  return parseMultipart(body, contentType).map((piece) =>
    part(
      partHeader(piece, 'content-type') ?? 'text/plain',
      partHeader(piece, 'content-disposition'),
      partHeader(piece, 'content-id'),
      piece.body,
    ),
  );
}

export interface InvitationBody {
  readonly sdp: Sdp | undefined;
  /** URIs of all lists in order; undefined when there is none. */
  readonly list: readonly string[] | undefined;
}

/** An INVITE may bring an offer and URI lists (RFC 5366 3). Throws WireError. */
export function invitationBody(parts: readonly BodyPart[]): InvitationBody {
  let sdp: Sdp | undefined;
  let list: string[] | undefined;
  for (const { type, disposition, optional, body } of parts) {
    if (type === 'application/sdp' && (disposition ?? 'session') === 'session') {
      sdp ??= parseSdp(body);
    } else if (type === 'application/resource-lists+xml' && disposition === 'recipient-list') {
      // LIST-02: several parts are one union.
      list ??= [];
      for (const uri of parseUriList(body)) list.push(uri);
    } else if (!optional) {
      throw new UnsupportedBody('a part of the body is not understood');
    }
  }
  return { sdp, list };
}

function part(
  contentType: string,
  disposition: string | undefined,
  contentId: string | undefined,
  body: Buffer,
): BodyPart {
  const [kind, ...params] = (disposition ?? '').toLowerCase().split(';');
  const optional = params.some((param) => /^\s*handling\s*=\s*"?optional"?\s*$/.test(param));
  return {
    type: parseContentType(contentType).type,
    disposition: kind === undefined || kind.trim() === '' ? undefined : kind.trim(),
    optional,
    contentId: contentId?.trim().replace(/^<|>$/g, ''),
    body,
  };
}
