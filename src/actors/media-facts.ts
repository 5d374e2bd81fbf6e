/** What a session description tells actors: its m=message line, and how the peer is reached. */

import type { MsrpSdpFacts } from '../machines/events.js';
import type { MsrpCarriage } from '../ports.js';
import { WireError } from '../wire/error.js';
import { parseMsrpUri } from '../wire/msrp/uri.js';
import { msrpMedia, msrpRemote, writtenDirections } from '../wire/sdp.js';
import type { Sdp } from '../wire/sdp.js';

/** What this node can do with a session description. */
export interface MediaUse {
  /** Whether there is a certificate for `msrps`. */
  readonly tls: boolean;
  /** Whether c= and m= may count instead of the path (RFC 6714). */
  readonly cema: boolean;
}

/**
 * The facts of an answer to our offer; undefined when no line is usable. Throws WireError
 * `SDP_FINGERPRINT`, and `SDP_CEMA` where the addresses differ without the peer's agreement.
 */
export function answeredMedia(sdp: Sdp, use: MediaUse): MsrpSdpFacts | undefined {
  return facts(sdp, use, use.cema);
}

/** The same of an offer: the answer to it refuses what differs, after all other checks. */
export function offeredMedia(sdp: Sdp, use: MediaUse): MsrpSdpFacts | undefined {
  try {
    return facts(sdp, use, use.cema);
  } catch (error) {
    if (!(error instanceof WireError) || error.code !== 'SDP_CEMA') throw error;
    return facts(sdp, use, false);
  }
}

/** On which level the offer says what direction it has (D-65). */
export function offeredDirections(sdp: Sdp, { tls }: MediaUse): MsrpSdpFacts['written'] {
  return writtenDirections(sdp, securityOf(sdp, tls));
}

/** How the session that answers this offer is carried: as its first usable line is (SDP-03). */
export function carriageFor(sdp: Sdp, { tls }: Pick<MediaUse, 'tls'>): MsrpCarriage {
  const remote = msrpRemote(sdp, false, securityOf(sdp, tls));
  const webSocket = remote !== undefined && parseMsrpUri(remote.path[0]!).transport === 'ws';
  return { secure: tls && remote?.secure === true, ...(webSocket && tls && { webSocket }) };
}

function facts(sdp: Sdp, { tls }: MediaUse, cema: boolean): MsrpSdpFacts | undefined {
  const only = securityOf(sdp, tls);
  const media = msrpMedia(sdp, only);
  const remote = msrpRemote(sdp, cema, only);
  if (!media || !remote) return undefined;
  const { address, fingerprints, secure } = remote;
  return {
    ...media,
    ...(address && { address }),
    ...(secure && fingerprints.length > 0 && { fingerprints }),
  };
}

/** Without TLS only lines without TLS are usable; where there is no other, the answer says so. */
function securityOf(sdp: Sdp, tls: boolean): false | undefined {
  return tls || msrpMedia(sdp, false) === undefined ? undefined : false;
}
