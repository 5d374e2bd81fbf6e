/** The dictionary of events of the SIP transactions (RFC 3261 17, RFC 6026). */

/** What a transaction is told with every event: its transport and the values of table 4. */
export interface TransactionFacts {
  /** Whether the transport is reliable: TCP, not UDP. */
  readonly reliable: boolean;
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** Timer C: how long an INVITE may go without a final response (16.6). */
  readonly inviteMs: number;
}

export type InviteClientTimer = 'A' | 'B' | 'C' | 'D' | 'M' | 'X';
export type ClientTimer = 'E' | 'F' | 'K';
export type InviteServerTimer = 'C' | 'G' | 'H' | 'I' | 'L';
export type ServerTimer = 'J' | 'X';

/** The letters are of RFC 3261 and RFC 6026; X ends what would have no end otherwise. */
export type TransactionTimer = InviteClientTimer | ClientTimer | InviteServerTimer | ServerTimer;

interface Told<Type extends string> {
  readonly type: Type;
  readonly facts: TransactionFacts;
}

/** The user sends the request, or the request has been received: the transaction begins. */
export type Start = Told<'start'>;

/** A retransmission of the request. */
export type RequestReceived = Told<'request.received'>;

export type AckReceived = Told<'ack.received'>;

export interface ResponseReceived extends Told<'response.received'> {
  readonly status: number;
}

/** The transaction user hands a response down. */
export interface ResponseHanded extends Told<'response.handed'> {
  readonly status: number;
}

/** The transport could not send what it was given. */
export type TransportFailed = Told<'transport.failed'>;

/** The user has sent CANCEL (9.1). */
export type Cancelled = Told<'cancelled'>;

export interface TimerFired<Name extends TransactionTimer> extends Told<'timer.fired'> {
  readonly name: Name;
}

export type InviteClientEvent =
  Start | ResponseReceived | TransportFailed | Cancelled | TimerFired<InviteClientTimer>;

export type ClientEvent = Start | ResponseReceived | TransportFailed | TimerFired<ClientTimer>;

export type InviteServerEvent =
  | Start
  | RequestReceived
  | AckReceived
  | ResponseHanded
  | TransportFailed
  | TimerFired<InviteServerTimer>;

export type ServerEvent =
  Start | RequestReceived | ResponseHanded | TransportFailed | TimerFired<ServerTimer>;

export type TransactionEvent = InviteClientEvent | ClientEvent | InviteServerEvent | ServerEvent;
