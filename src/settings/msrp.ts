/** Settings of MSRP: its listener, TLS, WebSocket, relay and bounds. */

import { z } from 'zod';
import { isMsrpUri } from '../wire/msrp/uri.js';
import { count, file, host, ms, port, seconds } from './forms.js';

const msrpTls = z.strictObject({
  port: port.default(2856),
  /** Port in `a=path`, when it is not `port`. */
  advertisePort: port.optional(),
  /** PEM files. */
  certificate: file,
  key: file,
  authorities: z.array(file).max(64).optional(),
  /** Mutual TLS: whether peers that connect are asked for a certificate, or need one. */
  clientCertificate: z.enum(['request', 'require']).optional(),
  /** Whether sessions are `msrps` where nothing else asks for it. */
  preferred: z.boolean().default(false),
});

const msrpRelay = z.strictObject({
  /** Such as `msrps://relay.example.org:2855;tcp`. */
  uri: z.string().refine(isMsrpUri, 'is not an MSRP URI'),
  username: z.string().min(1).max(255),
  password: z.string().min(1).max(1_024),
  /** Whether a challenge with MD5 is answered; RFC 4976 knows nothing else. */
  md5: z.boolean().default(true),
  /** Seconds asked for; the relay decides when absent. */
  expires: seconds.optional(),
  /** ms that an INVITE or its answer waits for the relay. */
  waitMs: ms.default(10_000),
});

export const msrpSettings = z.strictObject({
  host: host.default('127.0.0.1'),
  port: port.default(2855),
  /** Host in `a=path` and `c=`, when it is not `host`. */
  advertise: host.optional(),
  sessions: count.default(20_000),
  connections: count.default(10_000),
  connectionsPerPeer: count.default(1_000),
  /** ms a passive endpoint waits for the first SEND. */
  bindMs: ms.default(30_000),
  /** ms for the response to a SEND (RFC 4975 7.1.1). */
  responseMs: ms.default(30_000),
  idleMs: ms.default(120_000),
  /** Octets after which a chunk of ours ends; some relays take chunks whole (RFC 4976). */
  chunkMax: z.int().min(2_048).max(16_777_216).default(131_072),
  /** `msrps` on a port of its own; absent: neither accepted nor opened. */
  tls: msrpTls.optional(),
  /** Whether connections may go to c= and m= instead of the path (RFC 6714). */
  cema: z.boolean().default(false),
  /** A relay (RFC 4976) that all sessions go through. */
  relay: msrpRelay.optional(),
  /** MSRP over WebSocket (RFC 7977), with the certificate of `tls` or behind a proxy. */
  webSocket: z
    .strictObject({
      port: port,
      advertisePort: port.optional(),
      /** TLS is ended by a proxy before this listener. */
      terminated: z.boolean().default(false),
    })
    .optional(),
});
