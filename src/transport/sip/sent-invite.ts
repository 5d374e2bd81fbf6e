/** What of an INVITE that was sent goes into its dialog and its ACK. */

import type { SipDialog } from '../../wire/sip/dialog.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { tagOf, uriOf } from '../../wire/sip/name-addr.js';
import type { ClientRequest } from './client-request.js';

export function sentOf(request: ClientRequest) {
  const { callId, localTag, from, cseq } = request.dispatch.draft;
  return { callId, localTag, localUri: uriOf(from) ?? '', cseq };
}

/** Of a 2xx without a readable Contact: the target of the INVITE serves. */
export function bareDialog(request: ClientRequest, response: SipResponse): SipDialog {
  const { uri, to, cseq, callId, localTag, route } = request.dispatch.draft;
  return {
    callId,
    localTag,
    remoteTag: tagOf(response.header('To')) ?? '',
    localUri: sentOf(request).localUri,
    remoteUri: uriOf(to) ?? uri,
    remoteTarget: uri,
    routeSet: route,
    localCseq: cseq,
    remoteCseq: 0,
  };
}
