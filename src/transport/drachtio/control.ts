/** The connection to drachtio's control socket: opened, watched and opened again. */

import type { Peer } from '../../ports.js';
import { DrachtioError } from './error.js';
import type { DrachtioSettings } from './options.js';
import {
  srfOf,
  type Srf,
  type SrfAnswer,
  type SrfListener,
  type SrfRequest,
  type SrfRequestOptions,
  type SrfSent,
} from './srf.js';

export interface ControlUser {
  receive: SrfListener;
  /** The connection is gone, and every transaction and dialog with it. */
  lost(): void;
}

/** A listener of the server. */
export interface ServerAddress {
  readonly transport: Peer['transport'];
  /** Host and port as they stand in a URI. */
  readonly hostPort: string;
}

/** The methods the server hands to this application when they come outside a dialog. */
const methods = [
  'invite',
  'message',
  'register',
  'subscribe',
  'notify',
  'options',
  'publish',
  'refer',
  'info',
] as const;

export class ControlConnection {
  /** Where the server listens, in its order. */
  addresses: readonly ServerAddress[] = [];
  readonly #settings: DrachtioSettings;
  readonly #user: ControlUser;
  #srf: Srf | undefined;
  #isOpen = false;
  #isClosed = false;
  #delayMs: number;
  #withdraw: () => void = () => undefined;

  constructor(settings: DrachtioSettings, user: ControlUser) {
    this.#settings = settings;
    this.#user = user;
    this.#delayMs = settings.limits.reconnectMs;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The first attempt. Rejects with DrachtioError. */
  open(): Promise<void> {
    return this.#attempt();
  }

  /** The outcome comes later, unless the connection is lost before it. */
  request(
    uri: string,
    options: SrfRequestOptions,
    done: (error: unknown, sent?: SrfSent) => void,
  ): void {
    const srf = this.#srf;
    const confirmed = this.expect();
    const settle = (error: unknown, sent?: SrfSent): void => {
      confirmed();
      // An outcome never comes before the call that asked for it has returned.
      if (error !== null && error !== undefined) queueMicrotask(() => done(error));
      else if (srf === this.#srf) done(undefined, sent);
    };
    if (!srf || !this.#isOpen) {
      settle(new DrachtioError('DRACHTIO_UNREACHABLE', 'the control socket is not open'));
      return;
    }
    try {
      srf.request(uri, options, settle);
    } catch (error) {
      // drachtio-srf throws when its socket has closed and it has not said so yet.
      settle(error);
    }
  }

  /** A command is under way; the function returned says that the server has confirmed it. */
  expect(): () => void {
    const srf = this.#srf;
    return this.#settings.clock.after(this.#settings.limits.commandMs, () => {
      if (srf === this.#srf) this.#lose('DRACHTIO_SILENT');
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#withdraw();
    this.#abandon();
  }

  #attempt(): Promise<void> {
    const { createSrf, connection, clock, limits } = this.#settings;
    return new Promise((resolve, reject) => {
      const srf = srfOf(createSrf());
      this.#srf = srf;
      const isCurrent = (): boolean => this.#srf === srf;
      const fail = (error: DrachtioError): void => {
        withdraw();
        if (!isCurrent()) return;
        if (this.#isOpen) {
          this.#lose('DRACHTIO_UNREACHABLE');
          return;
        }
        this.#abandon();
        reject(error);
      };
      const withdraw = clock.after(limits.connectMs, () => {
        fail(new DrachtioError('DRACHTIO_SILENT', 'no connection in time'));
      });
      const gone = (): void => {
        fail(new DrachtioError('DRACHTIO_UNREACHABLE', `${connection.host}:${connection.port}`));
      };
      srf.on('error', gone);
      srf.on('close', gone);
      srf.on('connect', (error, hostports) => {
        withdraw();
        if (!isCurrent()) disconnect(srf);
        else if (error) fail(new DrachtioError('DRACHTIO_SECRET', 'the server refused us'));
        else {
          this.#opened(String(hostports));
          resolve();
        }
      });
      const receive: SrfListener = (request, answer) => {
        if (isCurrent() && this.#isOpen) this.#user.receive(request, answer);
        else unavailable(request, answer);
      };
      // The first takes everything; the others make the server send it.
      srf.use((request, answer) => receive(request, answer));
      for (const method of methods) srf.use(method, (request, answer) => receive(request, answer));
      // One attempt: drachtio-srf would try again without TLS, and could not be stopped.
      srf.connect({ ...connection, reconnect: { maxAttempts: 1 } });
    });
  }

  #opened(hostports: string): void {
    this.#isOpen = true;
    this.#delayMs = this.#settings.limits.reconnectMs;
    this.addresses = hostports.split(',').flatMap((one) => {
      const [, transport, hostPort] = /^(udp|tcp|tls|ws|wss)\/(.+)$/i.exec(one.trim()) ?? [];
      if (transport === undefined || hostPort === undefined) return [];
      return [{ transport: transport.toLowerCase() as Peer['transport'], hostPort }];
    });
  }

  #lose(code: 'DRACHTIO_UNREACHABLE' | 'DRACHTIO_SILENT'): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#abandon();
    const { host, port } = this.#settings.connection;
    this.#settings.log.error({ code, host, port }, 'the control socket of drachtio is lost');
    this.#user.lost();
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    const { clock, limits, log } = this.#settings;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, limits.reconnectMsMax);
    this.#withdraw = clock.after(delayMs, () => {
      this.#attempt().then(
        () => log.info({}, 'the control socket of drachtio is back'),
        (error: unknown) => {
          const code = error instanceof DrachtioError ? error.code : 'DRACHTIO_SRF';
          log.warn({ code }, 'the control socket of drachtio cannot be opened');
          this.#retryLater();
        },
      );
    });
  }

  #abandon(): void {
    const srf = this.#srf;
    this.#srf = undefined;
    if (srf) disconnect(srf);
  }
}

/** What comes in before the connection is known to be open, or after it was given up. */
function unavailable(request: SrfRequest, answer: SrfAnswer): void {
  if (request.method === 'ACK') return;
  const headers = { 'Retry-After': '1' };
  answer.send(503, 'Service Unavailable', { headers }, () => undefined);
}

function disconnect(srf: Srf): void {
  try {
    srf.disconnect();
  } catch {
    // drachtio-srf throws when there is no socket: then there is nothing to close.
  }
}
