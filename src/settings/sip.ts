/** Settings of SIP: listeners, TLS, timers and bounds. */

import { z } from 'zod';
import { count, file, host, ms, port } from './forms.js';

const listener = z.strictObject({
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  host: host.default('127.0.0.1'),
  /** 0: any free one; UDP and TCP on the same host get the same then. */
  port: port.default(5060),
  /** Host in Via and Contact of this listener, instead of `sip.advertise`. */
  advertise: host.optional(),
});

/** Path of a PEM file. */

const sipTls = z.strictObject({
  /** Shown to peers, unless they name a domain of one of `servers` (SNI). */
  certificate: file.optional(),
  key: file.optional(),
  /** Who vouches for peers; absent: the authorities that Node knows. */
  ca: z.array(file).max(64).optional(),
  /** Mutual TLS: whether peers that connect are asked for a certificate, or need one. */
  requestCertificate: z.enum(['no', 'request', 'require']).default('no'),
  /** Certificates of further domains; the names are those in the certificate (RFC 5922). */
  servers: z
    .array(z.strictObject({ certificate: file, key: file }))
    .max(1_000)
    .optional(),
});

export const sipSettings = z.strictObject({
  listen: z
    .array(listener)
    .min(1)
    .max(64)
    .default([
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
    ]),
  /** Host in Via and Contact, when it is not that of the listener. */
  advertise: host.optional(),
  /** Certificates for `tls` and `wss` and for the connections we open. */
  tls: sipTls.optional(),
  /** Who we are for those who challenge requests of ours, by realm (RFC 3261 22.2). */
  credentials: z
    .array(
      z.strictObject({
        realm: z.string().min(1).max(255),
        username: z.string().min(1).max(255),
        password: z.string().min(1).max(1_024),
        /** Whether a challenge that offers nothing better than MD5 is answered. */
        md5: z.boolean().default(false),
        /** Whether a 2xx without proof of its sender counts (RFC 7616 3.5). */
        proof: z.enum(['accept', 'require']).default('accept'),
      }),
    )
    .max(1_000)
    .default([]),
  timers: z
    .strictObject({ t1: ms.default(500), t2: ms.default(4000), t4: ms.default(5000) })
    .prefault({}),
  /** Pending transactions, server and client together. */
  transactions: count.default(200_000),
  /** Octets of answers kept for retransmissions over UDP; 400 for each request of 32 s. */
  answeredOctets: count.default(268_435_456),
  /** Connections in total and of one address. */
  connections: count.default(10_000),
  connectionsPerPeer: count.default(1_000),
  /** Connections that have brought no message yet; beyond, the oldest of them goes. */
  silentConnections: count.default(5_000),
  /** ms until a connection on which nothing comes is closed. */
  silentMs: ms.default(60_000),
  /** ms for TLS and WebSocket to be established. */
  handshakeMs: ms.default(10_000),
  idleMs: ms.default(600_000),
  /** ms between the keep-alives of a peer that offers them (RFC 6223). */
  keepAliveMs: ms.default(95_000),
  /** Addresses that are tried for one request (RFC 3263). */
  targets: z.int().min(1).max(64).default(8),
  messageOctets: count.default(1_048_576),
});
