/** What the transports are told of the settings. */

import type { Settings } from '../config.js';
import type { Clock, Log, Random, SocketsPort, Trace } from '../ports.js';
import type {
  MsrpEndpointOptions,
  MsrpRelayOptions,
  MsrpTlsOptions,
} from '../transport/msrp/options.js';
import { createAuthoriser } from '../transport/sip/credentials.js';
import type { SipEndpointOptions } from '../transport/sip/options.js';
import type { Resolve } from '../transport/sip/resolve.js';
import { readTlsFiles } from '../transport/sip/tls-files.js';
import { readPem } from './pem-file.js';

/** What every adapter is given. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
  readonly sockets?: SocketsPort;
  readonly resolve?: Resolve;
}

export function sipOptions(
  { sip }: Settings,
  random: Random,
): Omit<SipEndpointOptions, keyof World> {
  const half = Math.max(1, Math.floor(sip.transactions / 2));
  return {
    listeners: sip.listen.map(({ advertise, ...listener }) => ({
      ...listener,
      ...(advertise !== undefined && { advertised: advertise }),
    })),
    ...(sip.tls && { tls: readTlsFiles(sip.tls) }),
    ...(sip.advertise !== undefined && { advertised: sip.advertise }),
    ...(sip.credentials.length > 0 && { authorise: createAuthoriser(sip.credentials, random) }),
    timers: sip.timers,
    limits: {
      serverTransactions: half,
      answeredBytes: sip.answeredOctets,
      clientTransactions: half,
      connections: sip.connections,
      connectionsPerPeer: sip.connectionsPerPeer,
      silentConnections: sip.silentConnections,
      silentMs: sip.silentMs,
      handshakeMs: sip.handshakeMs,
      idleMs: sip.idleMs,
      keepAliveMs: sip.keepAliveMs,
      targets: sip.targets,
      bodyBytes: sip.messageOctets,
    },
  };
}

export function msrpOptions({
  msrp,
  limits,
  cluster,
}: Settings): Omit<MsrpEndpointOptions, keyof World> {
  return {
    host: msrp.host,
    port: msrp.port,
    chunkMax: msrp.chunkMax,
    heldOctets: cluster.msrpHeldOctets,
    ...(msrp.advertise !== undefined && { advertisedHost: msrp.advertise }),
    ...(msrp.tls && { tls: msrpTlsOptions(msrp.tls) }),
    ...(msrp.relay && { relay: relayOptions(msrp.relay) }),
    ...(msrp.webSocket && {
      webSocket: {
        port: msrp.webSocket.port,
        terminated: msrp.webSocket.terminated,
        ...advertisedPort(msrp.webSocket),
      },
    }),
    limits: {
      sessions: msrp.sessions,
      connections: msrp.connections,
      connectionsPerPeer: msrp.connectionsPerPeer,
      bindWaitMs: msrp.bindMs,
      responseMs: msrp.responseMs,
      idleMs: msrp.idleMs,
      messageBytes: limits.recording.octets,
    },
  };
}

export function msrpTlsOptions(tls: NonNullable<Settings['msrp']['tls']>): MsrpTlsOptions {
  const { port, certificate, key, authorities, clientCertificate, preferred } = tls;
  return {
    ...{ port, preferred, certificate: readPem(certificate), key: readPem(key) },
    ...advertisedPort(tls),
    ...(authorities && { authorities: authorities.map(readPem) }),
    ...(clientCertificate && { clientCertificate }),
  };
}

function relayOptions(relay: NonNullable<Settings['msrp']['relay']>): MsrpRelayOptions {
  const { uri, username, password, md5, expires } = relay;
  return { uri, username, password, md5, ...(expires !== undefined && { expires }) };
}

function advertisedPort(listener: { readonly advertisePort?: number | undefined }): {
  advertisedPort?: number;
} {
  const { advertisePort } = listener;
  return advertisePort === undefined ? {} : { advertisedPort: advertisePort };
}
