/** What a UAC does about a refusal before its user hears of it (RFC 3261 8.1.3, 22.2, RFC 4028 7.3). */

import { parseChallenge } from '../../wire/sip/digest.js';
import { WireError } from '../../wire/error.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { parseNameAddr } from '../../wire/sip/name-addr.js';
import { noCredentials, type Authoriser, type Credentials } from './credentials.js';
import type { RequestDraft } from './request.js';
import { askFields, minSeOf } from './session-timer.js';

/** The further attempts of one request. Each has the next CSeq and the same Call-ID. */
export class Retries {
  /** The request is inside a dialog: a challenge is all that is answered. */
  readonly isInside: boolean;
  readonly #redirects: number;
  readonly #authorise: Authoriser | undefined;
  #credentials: Credentials = noCredentials;
  /** Where the request has been or is to go. */
  readonly #targets: string[];
  #tried = 1;
  readonly #realms = new Set<string>();
  #isRaised = false;

  constructor(options: {
    readonly uri: string;
    readonly redirects: number;
    readonly authorise: Authoriser | undefined;
    readonly isInside?: boolean;
  }) {
    this.isInside = options.isInside === true;
    this.#redirects = options.redirects;
    this.#authorise = options.authorise;
    this.#targets = [options.uri];
  }

  /** The request as it is sent first: with the credentials that are bound to be asked for. */
  opening(draft: RequestDraft): RequestDraft {
    return this.#authorise ? this.#with(draft, this.#authorise.foresee(draft)) : draft;
  }

  /** Of a 2xx: whether whoever sent it may be whom we asked (RFC 7616 3.5). */
  isProven(draft: RequestDraft, response: SipResponse): boolean {
    return this.#authorise?.isProven(draft, response, this.#credentials) ?? true;
  }

  /** The request as it is sent after that response; undefined when that response is the last one. */
  after(draft: RequestDraft, response: SipResponse): RequestDraft | undefined {
    const { status } = response;
    if (status === 401 || status === 407) return this.#authorised(draft, response);
    if (this.isInside) return undefined;
    if (status === 422) return this.#raised(draft, response);
    if (status >= 600) return undefined;
    // 305 and 380 name no other place of the same user (21.3).
    if (status >= 300 && status <= 302) this.#redirected(response);
    return this.elsewhere(draft);
  }

  /** 8.1.3.4: the next contact of a redirection, after a failure too. */
  elsewhere(draft: RequestDraft): RequestDraft | undefined {
    const target = this.#targets[this.#tried];
    if (target === undefined) return undefined;
    this.#tried++;
    const nextHop = draft.route.length === 0 ? target : draft.nextHop;
    const elsewhere = { ...draft, uri: target, nextHop, cseq: draft.cseq + 1 };
    // A digest is for one Request-URI, and whoever asked for it is not there.
    return this.opening(elsewhere);
  }

  #with(draft: RequestDraft, credentials: Credentials): RequestDraft {
    const last = this.#credentials.fields;
    this.#credentials = credentials;
    const others = draft.headers.filter((field) => !last.includes(field));
    return { ...draft, headers: [...others, ...credentials.fields] };
  }

  #redirected(response: SipResponse): void {
    for (const { uri } of contactsOf(response)) {
      if (this.#targets.length > this.#redirects) return;
      if (!this.#targets.includes(uri)) this.#targets.push(uri);
    }
  }

  /** Once for each realm, and again when only the nonce was stale. */
  #authorised(draft: RequestDraft, response: SipResponse): RequestDraft | undefined {
    if (!this.#authorise || !this.#isNewTo(response)) return undefined;
    const credentials = this.#authorise.answer(draft, response, this.#credentials);
    return credentials && this.#with({ ...draft, cseq: draft.cseq + 1 }, credentials);
  }

  #isNewTo(response: SipResponse): boolean {
    const isProxy = response.status === 407;
    const name = isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    let isNew = false;
    for (const value of response.fields(name)) {
      const challenge = readable(() => parseChallenge(value));
      if (!challenge) continue;
      const key = `${isProxy} ${challenge.stale === true} ${challenge.realm}`;
      if (this.#realms.has(key)) continue;
      this.#realms.add(key);
      isNew = true;
    }
    return isNew;
  }

  /** RFC 4028 7.3: once, with what the refusal asks for. */
  #raised(draft: RequestDraft, response: SipResponse): RequestDraft | undefined {
    const least = minSeOf(response);
    if (least === undefined || this.#isRaised) return undefined;
    this.#isRaised = true;
    const others = draft.headers.filter(([name]) => !/^(session-expires|x|min-se)$/i.test(name));
    const fields = askFields({ expires: least, expiresMin: least });
    const asked = fields.filter(([name]) => name !== 'Supported');
    const raised = { ...draft, headers: [...others, ...asked], cseq: draft.cseq + 1 };
    return this.#authorise
      ? this.#with(raised, this.#authorise.again(raised, this.#credentials))
      : raised;
  }
}

/** SIP contacts by descending q; those of one q in their order. */
function contactsOf(response: SipResponse): readonly { readonly uri: string }[] {
  const contacts: { uri: string; q: number }[] = [];
  for (const value of response.list('Contact')) {
    const address = readable(() => parseNameAddr(value));
    if (!address || !/^sips?:/i.test(address.uri)) continue;
    const q = Number(address.params.get('q') ?? '1');
    contacts.push({ uri: withoutHeaders(address.uri), q: q >= 0 && q <= 1 ? q : 0 });
  }
  return contacts.sort((one, other) => other.q - one.q);
}

/** 19.1.1: header fields of a URI are no part of a Request-URI. */
function withoutHeaders(uri: string): string {
  const question = uri.indexOf('?', uri.indexOf('@') + 1);
  return question < 0 ? uri : uri.slice(0, question);
}

/** Undefined when the peer wrote something that cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
