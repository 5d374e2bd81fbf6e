/** What both directions of a connection have in common, and what is told of it. */

import type { Stamp } from './frame.js';
import type { CaptureLimits } from './limits.js';
import type { Messages } from './messages.js';
import type { Closing, Observed } from './observed.js';
import type { Remarks } from './remarks.js';

/** Where messages and remarks go. */
export interface Findings {
  readonly limits: CaptureLimits;
  readonly messages: Messages;
  readonly remarks: Remarks;
}

/** One way between two hosts. */
export interface Way {
  readonly source: string;
  readonly target: string;
}

/** A question of HTTP: answers come in the order of their questions. */
export interface HttpAsked {
  readonly method: string;
  /** It is about a document of a user. */
  readonly isTold: boolean;
}

interface HttpTalk {
  readonly asked: HttpAsked[];
  /** Questions and answers are not to be told apart any more. */
  isLost: boolean;
}

export class Conversation {
  readonly findings: Findings;
  /** Whether its opening was seen. */
  readonly isFromStart: boolean;
  /** What is spoken, once a message has shown it. */
  protocol: Observed['protocol'] | undefined;
  transport: 'tcp' | 'ws' = 'tcp';
  /** Where HTTP is spoken. */
  readonly http: HttpTalk = { asked: [], isLost: false };
  #isEncrypted = false;

  constructor(findings: Findings, isFromStart: boolean) {
    this.findings = findings;
    this.isFromStart = isFromStart;
  }

  /** A message has been seen; `bytes` may be a view. */
  tell(message: Pick<Observed, 'protocol' | 'bytes' | 'cut'>, way: Way, stamp: Stamp): void {
    const { number, at } = stamp;
    const { source, target } = way;
    if (this.protocol === undefined && !this.isFromStart) {
      this.remark(way, `was open before frame ${number}`);
    }
    this.protocol ??= message.protocol;
    const { transport } = this;
    this.findings.messages.add({ number, at, ...message, transport, source, target });
  }

  /** One of its directions is TLS. */
  encrypted(way: Way, { number }: Stamp): void {
    if (this.#isEncrypted) return;
    const what = 'encrypted connections (TLS), which cannot be read';
    this.findings.remarks.count(what, number);
    this.lose(way, 'an encrypted connection (TLS)', number);
    this.#isEncrypted = true;
  }

  /** One end has closed it. */
  close({ source, target }: Way, how: Closing['how'], { number, at }: Stamp): void {
    if (this.protocol !== 'sip' && this.protocol !== 'msrp') return;
    this.findings.messages.close({ number, at, source, target, how });
  }

  /** There may have been messages that nobody can read. */
  lose({ source, target }: Way, what: string, number: number): void {
    this.findings.messages.lose({ number, what, source, target });
  }

  /** Nothing is said of connections that have no messages. */
  remark({ source, target }: Way, what: string): void {
    this.findings.remarks.add(`${source} > ${target}: ${what}`);
  }
}
