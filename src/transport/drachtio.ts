/** SipPort on drachtio-srf: SIP through a drachtio-server, at the transaction-user boundary. */

import { strict as assert } from 'node:assert';
import type { HeaderField } from '../wire/sip/message.js';
import { parseSip } from '../wire/sip/parse.js';
import { serialiseRequest } from '../wire/sip/serialise.js';
import type {
  Owner,
  Peer,
  SipAnswer,
  SipHandler,
  SipOutgoing,
  SipPort,
  TransactionId,
} from '../ports.js';
import { ControlConnection } from './drachtio/control.js';
import { InviteDialogs, type InviteDialog } from './drachtio/dialogs.js';
import { settingsOf, type DrachtioOptions, type DrachtioSettings } from './drachtio/options.js';
import { Uac } from './drachtio/uac.js';
import { Uas } from './drachtio/uas.js';

export { DrachtioError, type DrachtioErrorCode } from './drachtio/error.js';
export { drachtioLimits } from './drachtio/options.js';
export type { DrachtioConnection, DrachtioLimits, DrachtioOptions } from './drachtio/options.js';
export type { ServerAddress } from './drachtio/control.js';

/** What of the contract of SipPort is the server's to keep, and is not kept by it. */
export const drachtioCapabilities = {
  binaryBodies: false,
  answersMerged: false,
  handsUpUnknownBye: false,
  writesRoute: false,
  repeatsAcceptOnStreams: false,
} as const;

/** SIP through a drachtio-server. */
export interface DrachtioPort extends SipPort {
  /** The listeners of the server; empty before `start`. */
  readonly addresses: readonly {
    readonly transport: Peer['transport'];
    readonly hostPort: string;
  }[];
  /** False while the control socket is down; everything sent then fails. */
  readonly isConnected: boolean;
  /** The sizes of the tables, by name. */
  counters(): Record<string, number>;
}

/**
 * Makes a port; nothing is opened before `start`. Throws DrachtioError `DRACHTIO_BINARY` when
 * binary bodies are asked for.
 */
export function createDrachtioPort(options: DrachtioOptions): DrachtioPort {
  return new Port(settingsOf(options));
}

/** What exists between start and stop. */
interface Running {
  readonly handler: SipHandler;
  readonly control: ControlConnection;
  readonly dialogs: InviteDialogs;
  readonly uas: Uas;
  readonly uac: Uac;
}

class Port implements DrachtioPort {
  readonly #settings: DrachtioSettings;
  #running: Running | undefined;
  /** Called whenever a transaction may have been the last pending one. */
  #settled: () => void = () => undefined;

  constructor(settings: DrachtioSettings) {
    this.#settings = settings;
  }

  get addresses(): DrachtioPort['addresses'] {
    return this.#running?.control.addresses ?? [];
  }

  get isConnected(): boolean {
    return this.#running?.control.isOpen ?? false;
  }

  async start(handler: SipHandler): Promise<void> {
    assert(!this.#running, 'a port is started once');
    this.#running = this.#compose(handler);
    await this.#running.control.open();
  }

  respond(transaction: TransactionId, answer: SipAnswer): void {
    this.#core.uas.respond(transaction, answer);
  }

  request(request: SipOutgoing): void {
    this.#core.uac.request(request);
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    this.#core.uac.bye(owner, id, headers);
  }

  forget(owner: Owner): void {
    this.#core.uac.forget(owner);
  }

  contactUri(user: string, transport?: Peer['transport']): string {
    const own = this.addresses.find((one) => one.transport === transport) ?? this.addresses[0];
    assert(own, 'a Contact needs a listener of the server');
    const { advertised } = this.#settings;
    const port = /:\d+$/.exec(own.hostPort)?.[0] ?? '';
    const hostPort = advertised === undefined ? own.hostPort : `${advertised}${port}`;
    const parameter = own.transport === 'udp' ? '' : `;transport=${own.transport}`;
    return `sip:${escapedUser(user)}@${hostPort}${parameter}`;
  }

  counters(): Record<string, number> {
    const running = this.#running;
    return {
      serverTransactions: running?.uas.pending ?? 0,
      clientTransactions: running?.uac.pending ?? 0,
      pendingInvites: running?.uac.invites ?? 0,
      dialogs: running?.dialogs.size ?? 0,
    };
  }

  async stop(graceMs: number): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.uas.isStopping = true;
    if (running.control.isOpen) await this.#drained(running, graceMs);
    running.control.close();
  }

  get #core(): Running {
    assert(this.#running, 'the port is not started');
    return this.#running;
  }

  #compose(handler: SipHandler): Running {
    const settings = this.#settings;
    const dialogs = new InviteDialogs(settings.limits.dialogs);
    const control: ControlConnection = new ControlConnection(settings, {
      receive: (request, answer) => uas.receive(request, answer),
      lost: () => this.#lost(),
    });
    const context = { settings, handler, control, dialogs, settled: () => this.#settled() };
    const uac = new Uac(context);
    const uas = new Uas({ ...context, endDialog: (dialog) => uac.endDialog(dialog) });
    return { handler, control, dialogs, uas, uac };
  }

  /** Whatever was under way is gone, and each of its owners hears of it. */
  #lost(): void {
    const { handler, dialogs, uas, uac } = this.#core;
    uas.lost();
    uac.lost();
    for (const dialog of dialogs.clear()) {
      const { owner, byeOrder } = dialog;
      if (byeOrder) handler.failure(owner, byeOrder.id, 'transport');
      else if (dialog.isUnacknowledged) handler.unacknowledged(owner);
      else this.#tellLoss(handler, dialog, uas.draw());
    }
    this.#settled();
  }

  /** To the owner of a standing dialog the loss is a BYE; the answer to it is dropped. */
  #tellLoss(handler: SipHandler, dialog: InviteDialog, transaction: TransactionId): void {
    const { owner, peer, callId, localUri, localTag, remoteUri, remoteTag } = dialog;
    const headers: HeaderField[] = [
      ['Via', 'SIP/2.0/TCP drachtio.invalid;branch=z9hG4bKlost'],
      ['Max-Forwards', '0'],
      ['From', `<${remoteUri}>;tag=${remoteTag}`],
      ['To', `<${localUri}>;tag=${localTag}`],
      ['Call-ID', callId],
      ['CSeq', '1 BYE'],
      ['Reason', 'SIP;cause=503;text="control connection lost"'],
    ];
    const request = parseSip(serialiseRequest({ method: 'BYE', uri: localUri, headers }));
    assert(request.kind === 'request');
    handler.request({ request, transaction, peer, owner });
  }

  #drained({ uas, uac }: Running, graceMs: number): Promise<void> {
    const isDrained = (): boolean => uas.pending === 0 && uac.pending === 0;
    if (isDrained() || graceMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        withdraw();
        this.#settled = () => undefined;
        resolve();
      };
      const withdraw = this.#settings.clock.after(graceMs, end);
      this.#settled = () => {
        if (isDrained()) end();
      };
    });
  }
}

/** RFC 3261 25.1 `user`: what is neither unreserved nor user-unreserved is escaped. */
function escapedUser(user: string): string {
  return encodeURIComponent(user).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent);
}
